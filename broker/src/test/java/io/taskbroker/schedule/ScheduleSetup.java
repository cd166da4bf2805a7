package io.taskbroker.schedule;

import com.google.protobuf.Duration;
import io.taskbroker.protocol.v1.Cron;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.Task;

/// Schedules for tests.
public final class ScheduleSetup {
  private ScheduleSetup() {}

  public static Schedule.Builder every(String name, long millis) {
    return Schedule.newBuilder()
        .setName(name)
        .setEvery(duration(millis))
        .setTask(Task.newBuilder().setName("report"))
        .setMissed(MissedSlots.MISSED_SLOTS_ALL);
  }

  public static Schedule.Builder cron(String name, String expression, String zone) {
    return every(name, 0).setCron(Cron.newBuilder().setExpression(expression).setTimeZone(zone));
  }

  public static Duration duration(long millis) {
    return Duration.newBuilder()
        .setSeconds(millis / 1_000)
        .setNanos((int) (millis % 1_000) * 1_000_000)
        .build();
  }
}
