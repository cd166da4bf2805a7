package io.taskbroker.lab.demo;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;

/// Progress display: a bar redrawn in place on a terminal, otherwise a line a second. Owned by one
/// thread.
final class ProgressLine {
  private static final int WIDTH = 30;
  private static final long LINE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final PrintWriter out;
  private final boolean terminal;
  private final int total;
  private final long startedAt = System.nanoTime();
  private long shownAt = startedAt;
  private int shownDone;
  private double rate;
  private int length;

  ProgressLine(PrintWriter out, boolean terminal, int total) {
    this.out = out;
    this.terminal = terminal;
    this.total = total;
  }

  void show(int done, long running) {
    long now = System.nanoTime();
    long since = now - shownAt;
    if (!terminal && since < LINE_NANOS) {
      return;
    }
    rate = since <= 0 ? rate : (done - shownDone) * 1e9 / since;
    shownAt = now;
    shownDone = done;
    if (terminal) {
      draw(done, running);
    } else {
      out.printf(
          "%5.1f s  %,d of %,d done, %,d running, %,.0f/s%n",
          (now - startedAt) / 1e9, done, total, running, rate);
      out.flush();
    }
  }

  private void draw(int done, long running) {
    int filled = (int) ((long) WIDTH * done / total);
    String line =
        "[%s%s] %3d %%  %,d of %,d done, %,d running, %,.0f/s"
            .formatted(
                "#".repeat(filled),
                ".".repeat(WIDTH - filled),
                100L * done / total,
                done,
                total,
                running,
                rate);
    out.print("\r" + line + " ".repeat(Math.max(0, length - line.length())));
    out.flush();
    length = line.length();
  }

  /// Ends the bar.
  void end() {
    if (terminal && length > 0) {
      out.println();
      out.flush();
    }
  }
}
