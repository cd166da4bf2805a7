package io.taskbroker.telemetry;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// Bounded asynchronous replacements of the process's standard output and error streams. No writer,
/// be it the log, a library or an uncaught exception, waits for the reader, and the process can
/// exit without one (G9). Only the JVM's own output, such as the thread dump on SIGQUIT, bypasses
/// them. Thread-safe.
public final class StandardStreams {
  private static volatile @Nullable Installed installed;

  private StandardStreams() {}

  private record Installed(LineStream out, LineStream err) {}

  /// Replaces `System.out` and `System.err` permanently.
  public static synchronized void install() {
    if (installed != null) {
      return;
    }
    var streams =
        new Installed(
            new LineStream("stdout", new FileOutputStream(FileDescriptor.out)),
            new LineStream("stderr", new FileOutputStream(FileDescriptor.err)));
    System.out.flush();
    System.err.flush();
    System.setOut(streams.out.printStream());
    System.setErr(streams.err.printStream());
    installed = streams;
  }

  /// Stream for the log: the installed stream, or else a new one on the current `System.err`.
  static LineStream error() {
    Installed streams = installed;
    return streams == null ? new LineStream("stderr", System.err) : streams.err;
  }

  /// Number of lines dropped by both streams.
  public static long dropped() {
    Installed streams = installed;
    return streams == null ? 0 : streams.out.dropped() + streams.err.dropped();
  }

  /// Waits until the readers have everything written so far, or for the given time. Must be called
  /// before the process exits.
  public static void flush(Duration timeout) {
    Installed streams = installed;
    if (streams != null) {
      long startedAt = System.nanoTime();
      boolean _ = streams.err.flush(timeout);
      boolean _ = streams.out.flush(timeout.minusNanos(System.nanoTime() - startedAt));
    }
  }
}
