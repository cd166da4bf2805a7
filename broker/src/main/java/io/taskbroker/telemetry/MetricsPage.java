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

/// Metrics in one Prometheus format, kept outside the heap and shared by all concurrent readers:
/// slow readers hold at most the memory of [#MOST] pages (G7). Rendering takes at most a tenth of
/// the event loop. Confined to the event loop.
final class MetricsPage {
  /// Maximum number of pages held by slow readers; beyond it the newest page is served again.
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

  /// The metrics, at most ten times the rendering time old.
  ///
  /// @return must be released by the caller
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

  /// Releases the pages; a page that is still being read lives until it was sent.
  void close() {
    pages.forEach(ByteBuf::release);
    pages.clear();
  }

  /// Releases the pages that no reader holds.
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
