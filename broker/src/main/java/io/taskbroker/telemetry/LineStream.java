package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.function.LongFunction;

/// Bounded, asynchronous way of lines to an output of the process: whoever writes never waits for
/// its reader, and what finds no room is dropped, counted, and reported in a line of the output
/// itself ([SideChannel]). Thread-safe.
public final class LineStream {
  /// What waits for the reader at most, in bytes.
  static final int CAPACITY = 1 << 20;

  /// A line that does not end is cut into such pieces.
  private static final int LONGEST_PIECE = 64 << 10;

  private final OutputStream target;
  private final SideChannel<byte[]> channel;
  private final PrintStream printStream = new PrintStream(new Pieces(), true, UTF_8);
  private volatile LongFunction<byte[]> notice = LineStream::plainNotice;

  /// @param name of the thread that writes
  LineStream(String name, OutputStream target) {
    this.target = target;
    this.channel = new SideChannel<>(name, CAPACITY, line -> line.length, new Writer());
  }

  /// Writes lines later.
  ///
  /// @param lines one or more, each with the line break behind it
  /// @param urgent whether there is still room for it where there is none for others
  void write(byte[] lines, boolean urgent) {
    boolean _ = channel.offer(lines, urgent);
  }

  /// The same for what is printed: whole lines are written, and what is flushed.
  PrintStream printStream() {
    return printStream;
  }

  /// How the output says that so many lines before were dropped.
  void noticeDropsBy(LongFunction<byte[]> line) {
    notice = line;
  }

  /// How many lines, or groups of lines, were dropped.
  long dropped() {
    return channel.dropped();
  }

  /// Waits until what was written before is with the reader, or for the given time.
  ///
  /// @return whether it is
  boolean flush(Duration timeout) {
    printStream.flush();
    return channel.flush(timeout);
  }

  private static byte[] plainNotice(long lines) {
    return "taskbroker: %s\n".formatted(noticeText(lines)).getBytes(UTF_8);
  }

  /// What is said of lines that were dropped.
  static String noticeText(long lines) {
    return lines
        + " lines of the log before this one were dropped: their reader did not take them, or"
        + " there was no room";
  }

  /// The thread's side.
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
      // What failed may have left half a line behind.
      boolean midLine = broken;
      take(midLine ? onLineOfItsOwn(line) : line);
    }

    private static byte[] onLineOfItsOwn(byte[] line) {
      byte[] all = new byte[line.length + 1];
      all[0] = '\n';
      System.arraycopy(line, 0, all, 1, line.length);
      return all;
    }
  }

  /// Cuts what is printed into lines. The print stream calls it under its lock.
  private final class Pieces extends OutputStream {
    private final ByteArrayOutputStream begun = new ByteArrayOutputStream();

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      begun.write(bytes, offset, length);
      if (begun.size() >= LONGEST_PIECE) {
        pass(begun.toByteArray());
        begun.reset();
        return;
      }
      int end = offset + length;
      while (end > offset && bytes[end - 1] != '\n') {
        end--;
      }
      if (end > offset) {
        byte[] all = begun.toByteArray();
        int lines = all.length - (offset + length - end);
        begun.reset();
        begun.write(all, lines, all.length - lines);
        pass(Arrays.copyOf(all, lines));
      }
    }

    @Override
    public void flush() {
      if (begun.size() > 0) {
        pass(begun.toByteArray());
        begun.reset();
      }
    }

    private void pass(byte[] piece) {
      LineStream.this.write(piece, true);
    }
  }
}
