package io.taskbroker.telemetry;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The outputs of the process, when it is a broker: nothing that writes to them waits for their
/// reader, be it the log, a library or an uncaught exception, and the process can end though nobody
/// reads (G9). Only what the JVM itself prints, such as the threads after SIGQUIT, goes past this.
/// Thread-safe.
public final class StandardStreams {
  private static volatile @Nullable Installed installed;

  private StandardStreams() {}

  private record Installed(LineStream out, LineStream err) {}

  /// Puts bounded, asynchronous streams in the place of `System.out` and `System.err`, for good.
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

  /// The stream of the log: that of the process if it was installed, else one that leads to
  /// whatever `System.err` is.
  static LineStream error() {
    Installed streams = installed;
    return streams == null ? new LineStream("stderr", System.err) : streams.err;
  }

  /// How many lines of both were dropped.
  public static long dropped() {
    Installed streams = installed;
    return streams == null ? 0 : streams.out.dropped() + streams.err.dropped();
  }

  /// Waits until what was written so far is with the readers, or for the given time: to be called
  /// before the process ends.
  public static void flush(Duration timeout) {
    Installed streams = installed;
    if (streams != null) {
      long begun = System.nanoTime();
      boolean _ = streams.err.flush(timeout);
      boolean _ = streams.out.flush(timeout.minusNanos(System.nanoTime() - begun));
    }
  }
}
