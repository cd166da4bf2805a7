package io.taskbroker.lab.smoke;

import java.util.Locale;

/// Measurements of one start, in milliseconds from the start of the command, except `stop`.
///
/// @param ready when the health service first answered SERVING
/// @param firstDelivery when the worker received the task, which was in Kafka before the start
/// @param stop from SIGTERM until the process had ended
/// @param cpu processor time of the broker's process until its task was done
/// @param residentKilobytes of the broker's process after the task
record SmokeResult(long ready, long firstDelivery, long cpu, long stop, long residentKilobytes) {
  SmokeResult stoppedIn(long millis) {
    return new SmokeResult(ready, firstDelivery, cpu, millis, residentKilobytes);
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "ready %,d ms, first delivery %,d ms, CPU %,d ms, stopped in %,d ms, resident %,d MB",
        ready,
        firstDelivery,
        cpu,
        stop,
        residentKilobytes / 1024);
  }
}
