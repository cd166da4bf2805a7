package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongFunction;

/// Bounded asynchronous writer of lines to an output of the process. A writing thread never waits
/// for the reader; lines that do not fit are dropped, counted, and reported in a line of the output
/// itself ([SideChannel]). Thread-safe.
public final class LineStream {
  /// Maximum number of bytes that wait for the reader.
  static final int CAPACITY = 1 << 20;

  /// Maximum length of a piece when a line does not end.
  private static final int LONGEST_PIECE = 64 << 10;

  private final OutputStream target;
  private final SideChannel<byte[]> channel;
  private final PrintStream printStream = new PrintStream(new LineSplitter(), true, UTF_8);
  private volatile LongFunction<byte[]> notice = LineStream::plainNotice;

  /// @param name of the writer thread
  LineStream(String name, OutputStream target) {
    this.target = target;
    this.channel = new SideChannel<>(name, CAPACITY, line -> line.length, new Writer());
  }

  /// Enqueues lines.
  ///
  /// @param lines one or more, each ending with a line break
  /// @param urgent true: may use the space reserved for urgent lines
  void write(byte[] lines, boolean urgent) {
    boolean _ = channel.offer(lines, urgent);
  }

  /// A print stream on the same queue: it enqueues whole lines, and the rest on flush.
  PrintStream printStream() {
    return printStream;
  }

  /// Sets the encoder of the line that reports how many lines were dropped before it.
  void noticeDropsBy(LongFunction<byte[]> line) {
    notice = line;
  }

  /// Number of dropped lines or groups of lines.
  long dropped() {
    return channel.dropped();
  }

  /// Waits until the reader has everything written before, or for the given time.
  ///
  /// @return false on timeout
  boolean flush(Duration timeout) {
    printStream.flush();
    return channel.flush(timeout);
  }

  private static byte[] plainNotice(long lines) {
    return "taskbroker: %s\n".formatted(noticeText(lines)).getBytes(UTF_8);
  }

  /// Text of the line that reports dropped lines.
  static String noticeText(long lines) {
    return lines
        + " log lines before this one were dropped: their reader was too slow, or the queue was"
        + " full";
  }

  /// Consumer of the queue; runs on the writer thread.
  private final class Writer implements SideChannel.Receiver<byte[]> {
    private boolean broken;

    @Override
    public void take(byte[] lines) throws IOException {
      try {
        target.write(lines);
        target.flush();
        broken = false;
      } catch (IOException e) {
        broken = true;
        throw e;
      }
    }

    @Override
    public void lost(long lines) throws IOException {
      byte[] line = notice.apply(lines);
      // A failed write may have left a partial line behind.
      boolean midLine = broken;
      take(midLine ? onNewLine(line) : line);
    }

    private static byte[] onNewLine(byte[] line) {
      byte[] all = new byte[line.length + 1];
      all[0] = '\n';
      System.arraycopy(line, 0, all, 1, line.length);
      return all;
    }
  }

  /// Splits printed text into lines. The print stream calls it under its lock.
  private final class LineSplitter extends OutputStream {
    private final ByteArrayOutputStream partial = new ByteArrayOutputStream();

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      partial.write(bytes, offset, length);
      if (partial.size() >= LONGEST_PIECE) {
        emit(partial.toByteArray());
        partial.reset();
        return;
      }
      int end = offset + length;
      while (end > offset && bytes[end - 1] != '\n') {
        end--;
      }
      if (end > offset) {
        byte[] all = partial.toByteArray();
        int lines = all.length - (offset + length - end);
        partial.reset();
        partial.write(all, lines, all.length - lines);
        emit(Arrays.copyOf(all, lines));
      }
    }

    @Override
    public void flush() {
      if (partial.size() > 0) {
        emit(partial.toByteArray());
        partial.reset();
      }
    }

    private void emit(byte[] piece) {
      LineStream.this.write(piece, true);
    }
  }
}
