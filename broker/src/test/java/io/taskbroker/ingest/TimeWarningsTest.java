package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Times that the broker changes are logged, but not too often (G5).
final class TimeWarningsTest {
  private static final long NOW = 1_700_000_000_123L;

  @RegisterExtension private final LogCapture log = LogCapture.of("io.taskbroker.ingest");
  private final Metrics metrics = new Metrics();
  private final ActivationDecoder decoder =
      new ActivationDecoder(3_600, 1_000, new TimeWarnings(new TopicCounts("tasks", metrics)));

  @Test
  void g5ADelayThatIsCutIsSaidOnceAMinuteForATask() {
    read("report", 3_600, NOW, NOW);
    assertThat(log.lines()).as("at the maximum").isEmpty();

    read("report", 86_400, NOW, NOW);
    read("report", 86_400, NOW, NOW + 59_999);
    read("mail", -1, NOW, NOW + 59_999);
    assertThat(log.lines())
        .satisfiesExactly(
            line ->
                assertThat(line)
                    .contains(
                        "86400 s of task report is clamped to 3600 s",
                        "max_delayed_task_allowed_sec"),
            line -> assertThat(line).contains("18446744073709551615 s of task mail"));
    read("report", 86_400, NOW, NOW + 60_000);
    read("report", 86_400, NOW, NOW - 1);
    assertThat(log.lines()).as("a minute later; the clock was set back").hasSize(4);
    assertThat(metrics.delaysCut.of("tasks").get()).isEqualTo(5);
    assertThat(metrics.clocksAhead.of("tasks").get()).isZero();
  }

  @Test
  void g5AClockThatIsAheadIsSaidOnceAMinuteForATask() {
    read("report", 10, NOW + 60_000, NOW);
    assertThat(log.lines()).isEmpty();

    read("report", 10, NOW + 86_400_000, NOW);
    read("report", 10, NOW + 86_400_000, NOW + 59_999);
    assertThat(log.lines())
        .satisfiesExactly(
            line -> assertThat(line).contains("Task report", "86400 s from now", "count from now"));
    assertThat(metrics.clocksAhead.of("tasks").get()).isEqualTo(2);
    assertThat(metrics.delaysCut.of("tasks").get()).isZero();
  }

  @Test
  void g7NamesAreForgottenPastAThousand() {
    for (int i = 0; i <= TimeWarnings.MAX_NAMES; i++) {
      read("task-" + i, 86_400, NOW, NOW);
    }
    int lines = log.lines().size();
    read("task-" + TimeWarnings.MAX_NAMES, 86_400, NOW, NOW);
    assertThat(log.lines()).hasSize(lines);
    read("task-0", 86_400, NOW, NOW);
    assertThat(log.lines()).hasSize(lines + 1);
  }

  private void read(String taskname, long delay, long receivedAt, long now) {
    byte[] value =
        TaskActivation.newBuilder()
            .setId("id")
            .setTaskname(taskname)
            .setDelay(delay)
            .setReceivedAt(Timestamps.ofMillis(receivedAt))
            .build()
            .toByteArray();
    assertThat(decoder.decode(new Origin("tasks", 0, 0), 0, value, now).undecodable()).isNull();
  }
}
