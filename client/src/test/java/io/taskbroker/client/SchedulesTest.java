package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Schedules of a real broker.
@Timeout(240)
final class SchedulesTest {
  private static final Task<String> REPORT = Task.of("report", String.class);

  @TempDir private Path dir;

  @Test
  void schedulesAreKeptAndRun() {
    Set<String> ran = new ConcurrentSkipListSet<>();
    try (TestBroker broker = TestBroker.start(dir);
        TaskClient client = TaskClient.connect(broker.address());
        Worker worker =
            Worker.builder(client)
                .handle(REPORT, (argument, context) -> ran.add(argument + " " + context.id()))
                .start()) {
      Schedules schedules = client.schedules();
      Schedule tick = Schedule.every("tick", Duration.ofSeconds(1), REPORT.with("now"));
      ScheduleState created = schedules.upsert(tick);
      assertThat(created.nextSlot()).isPresent();
      assertThat(created.taskName()).isEqualTo("report");
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> ran.stream().anyMatch(run -> run.startsWith("now schedule:tick:")));
      assertThat(schedules.pause("tick").paused()).isTrue();
      assertThat(schedules.upsert(tick).paused()).isTrue();
      assertThat(schedules.resume("tick").paused()).isFalse();
      assertThat(schedules.find("tick").orElseThrow().lastTaskId()).isPresent();

      ScheduleState nightly =
          schedules.upsert(
              Schedule.cron(
                      "nightly", "30 2 * * *", ZoneId.of("Europe/Vienna"), REPORT.with("daily"))
                  .startAt(Instant.parse("2100-01-01T00:00:00Z"))
                  .jitter(Duration.ofMinutes(5))
                  .missed(Schedule.Missed.ALL)
                  .missedLimit(3)
                  .description("for the boss"));
      assertThat(nightly.nextSlot()).contains(Instant.parse("2100-01-01T01:30:00Z"));
      assertThat(schedules.list())
          .extracting(ScheduleState::name)
          .containsExactly("nightly", "tick");
      TaskHandle run = schedules.runNow("nightly");
      assertThat(run.await(Duration.ofSeconds(20)).kind()).isEqualTo(TaskOutcome.Kind.COMPLETED);
      assertThat(ran).contains("daily " + run.id());
      schedules.delete("nightly");
      schedules.delete("nightly");
      assertThat(schedules.find("nightly")).isEmpty();
      assertThat(worker).isNotNull();
    }
  }

  @Test
  void errorsSayWhatToDo() {
    try (TestBroker broker = TestBroker.start(dir);
        TaskClient client = TaskClient.connect(broker.address())) {
      assertThatThrownBy(() -> client.schedules().pause("none"))
          .isInstanceOf(TaskNotFoundException.class)
          .hasMessageContaining("no schedule named none");
      assertThatThrownBy(() ->
              client
                  .schedules()
                  .upsert(Schedule.cron("x", "x", ZoneId.of("UTC"), REPORT.with("x"))))
          .isInstanceOf(TaskRejectedException.class)
          .hasMessageContaining("five fields");
    }
    assertThatThrownBy(
            () -> Schedule.every("x", Duration.ofSeconds(1), REPORT.with("x").id("fixed")))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
