package io.taskbroker.telemetry;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufOutputStream;
import io.netty.buffer.Unpooled;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.ExpositionFormatWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/// Metrics in one format of Prometheus, outside of the heap, shared by all that read them at the
/// same time: many slow readers hold no more memory than [#MOST] pages (G7). Writing pages takes a
/// tenth of the event loop at most. Confined to it.
final class MetricsPage {
  /// Pages that may be held by slow readers before the newest is served again.
  static final int MOST = 4;

  private static final int SHARE_OF_TIME = 10;

  private final Metrics metrics;
  private final ExpositionFormatWriter writer;
  private final Deque<ByteBuf> pages = new ArrayDeque<>();
  private long freshUntil;

  MetricsPage(Metrics metrics, ExpositionFormatWriter writer) {
    this.metrics = metrics;
    this.writer = writer;
  }

  String contentType() {
    return writer.getContentType();
  }

  /// The metrics as they are, or as they were within ten times what it takes to write them.
  ///
  /// @return to be released by the caller
  ByteBuf content() {
    long now = System.nanoTime();
    @Nullable ByteBuf newest = pages.peekLast();
    if (newest == null || now - freshUntil >= 0) {
      releaseUnread();
      if (pages.size() < MOST) {
        newest = write();
        pages.add(newest);
        long took = System.nanoTime() - now;
        freshUntil = now + took * SHARE_OF_TIME;
      } else {
        newest = pages.getLast();
      }
    }
    return newest.retainedDuplicate();
  }

  /// Gives back the pages, of which each lives on until it was read.
  void close() {
    pages.forEach(ByteBuf::release);
    pages.clear();
  }

  /// Releases the pages that nobody reads any more.
  private void releaseUnread() {
    pages.removeIf(page -> {
      boolean unread = page.refCnt() == 1;
      if (unread) {
        page.release();
      }
      return unread;
    });
  }

  private ByteBuf write() {
    ByteBuf page = Unpooled.directBuffer(1 << 16);
    try (var out = new ByteBufOutputStream(page)) {
      writer.write(out, metrics.scrape(), EscapingScheme.ALLOW_UTF8);
      return page;
    } catch (IOException e) {
      page.release();
      throw new UncheckedIOException("Cannot write the metrics", e);
    }
  }
}
