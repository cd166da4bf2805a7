package io.taskbroker.schedule;

import static io.taskbroker.schedule.ScheduleSetup.cron;
import static io.taskbroker.schedule.ScheduleSetup.every;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.fuzz.Cost;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.Firing;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Slots fire once, when they are due, and missed ones as the schedule says.
final class SlotFiringTest {
  @TempDir private Path folder;
  private ScheduleRig rig;

  @BeforeEach
  void open() {
    rig = new ScheduleRig(SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0)));
    rig.set("2027-01-01T00:00:00.500Z");
  }

  @AfterEach
  void close() {
    rig.store.close();
  }

  @Test
  void aSlotFiresWhenItIsDueAndOnce() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    assertThat(rig.look()).isEqualTo("2027-01-01T00:00:10Z");
    assertThat(rig.ids()).isEmpty();
    rig.set("2027-01-01T00:00:10Z");
    assertThat(rig.look()).isEqualTo("2027-01-01T00:00:20Z");
    assertThat(rig.tasks.getFirst().receivedAt())
        .isEqualTo(Instant.parse("2027-01-01T00:00:10Z").toEpochMilli());
    Task task = Task.parseFrom(rig.tasks.getFirst().payload());
    assertThat(task.getHeadersMap()).containsEntry("taskbroker-slot", "2027-01-01T00:00:10Z");
    assertThat(rig.ids()).containsExactly("schedule:s:2027-01-01T00:00:10Z");
    rig.look();
    assertThat(rig.ids()).isEmpty();
    assertThat(rig.book.get("s").getLastTaskId()).isEqualTo("schedule:s:2027-01-01T00:00:10Z");
  }

  @Test
  void manySchedulesThatAreDueAtOnceAllFire() throws Exception {
    for (int i = 0; i < 100; i++) {
      rig.book.upsert(every("s" + i, 10_000).build());
    }
    rig.set("2027-01-01T00:00:10Z");
    rig.look();
    assertThat(rig.ids()).hasSize(100).doesNotHaveDuplicates();
  }

  @Test
  void allMissedSlotsRunUpToTheLimit() throws Exception {
    rig.book.upsert(every("all", 1_000).setMissedLimit(3).build());
    rig.set("2027-01-01T01:00:00Z");
    rig.look();
    assertThat(rig.ids())
        .containsExactly(
            "schedule:all:2027-01-01T00:59:58Z",
            "schedule:all:2027-01-01T00:59:59Z",
            "schedule:all:2027-01-01T01:00:00Z");
    List<Firing> firings = rig.book.get("all").getLastFiringsList();
    assertThat(firings)
        .extracting(Firing::getOutcome)
        .containsExactly(
            FiringOutcome.FIRING_OUTCOME_ENQUEUED,
            FiringOutcome.FIRING_OUTCOME_ENQUEUED,
            FiringOutcome.FIRING_OUTCOME_ENQUEUED,
            FiringOutcome.FIRING_OUTCOME_SKIPPED);
  }

  @Test
  void theLatestMissedSlotRunsHoweverLate() throws Exception {
    rig.book.upsert(
        cron("latest", "0 3 * * *", "UTC").setMissed(MissedSlots.MISSED_SLOTS_LATEST).build());
    rig.set("2027-02-01T12:00:00Z");
    assertThat(rig.look()).isEqualTo("2027-02-02T03:00:00Z");
    assertThat(rig.ids()).containsExactly("schedule:latest:2027-02-01T03:00:00Z");
  }

  @Test
  void missedSlotsAreSkippedButNotOneThatIsALittleLate() throws Exception {
    rig.book.upsert(
        cron("skip", "0 3 * * *", "UTC").setMissed(MissedSlots.MISSED_SLOTS_SKIP).build());
    rig.set("2027-02-01T03:01:01Z");
    assertThat(rig.look()).isEqualTo("2027-02-02T03:00:00Z");
    assertThat(rig.ids()).isEmpty();
    rig.set("2027-02-02T03:00:59Z");
    rig.look();
    assertThat(rig.ids()).containsExactly("schedule:skip:2027-02-02T03:00:00Z");
  }

  @Test
  void aYearOfMissedMinutesIsDecidedQuickly() throws Exception {
    rig.book.upsert(cron("minutes", "* * * * *", "Europe/Vienna").setMissedLimit(1_000).build());
    rig.set("2028-01-01T00:00:00Z");
    rig.look();
    assertThat(rig.ids()).hasSize(1_000).last().isEqualTo("schedule:minutes:2028-01-01T00:00:00Z");
  }

  /// The first decision about many missed slots looks at thousands; those that follow at none.
  @Test
  void aDecisionLooksAtNoSlotsIfThereCannotBeTooMany() {
    SlotCalendar calendar = SlotCalendar.of(cron("minutes", "* * * * *", "Europe/Vienna").build());
    long now = Instant.parse("2028-01-01T00:00:00Z").toEpochMilli();
    long from = calendar.firstOfLatest(now - 365L * 86_400_000, now, 1_000);
    assertThat(from).isEqualTo(now - 999 * 60_000);
    assertThat(Cost.within(10_000, () -> calendar.firstOfLatest(from, now, 1_000))).isEqualTo(from);
  }

  @Test
  void anotherBrokerThatWasFirstIsNotRepeated() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    rig.set("2027-01-01T00:00:10Z");
    var other = new ScheduleRig(rig.store);
    other.set("2027-01-01T00:00:10Z");
    List<String> fired = new ArrayList<>();
    rig.before =
        () -> {
          rig.before = () -> {};
          try {
            other.look();
            fired.addAll(other.ids());
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };
    rig.look();
    assertThat(fired).containsExactly("schedule:s:2027-01-01T00:00:10Z");
    assertThat(rig.ids()).isEmpty();
  }

  @Test
  void aScheduleThatIsPausedMeanwhileDoesNotFire() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    rig.set("2027-01-01T00:00:10Z");
    rig.before =
        () -> {
          try {
            rig.book.pause("s");
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        };
    rig.look();
    assertThat(rig.ids()).isEmpty();
    rig.before = () -> {};
    rig.set("2027-01-01T00:01:05Z");
    assertThat(rig.look()).isEqualTo(Instant.MAX);
    assertThat(rig.book.resume("s").getNextSlot().getSeconds())
        .isEqualTo(Instant.parse("2027-01-01T00:01:10Z").getEpochSecond());
    rig.set("2027-01-01T00:01:10Z");
    rig.look();
    assertThat(rig.ids()).containsExactly("schedule:s:2027-01-01T00:01:10Z");
  }

  /// A clock that was ahead has fired slots that are still to come.
  @Test
  void aSlotThatHasFiredDoesNotFireAgainAfterTheClockWasSetBack() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    rig.set("2027-01-01T00:00:30Z");
    rig.look();
    assertThat(rig.ids()).hasSize(3);
    rig.set("2027-01-01T00:00:05Z");
    rig.book.pause("s");
    assertThat(Instant.ofEpochSecond(rig.book.resume("s").getNextSlot().getSeconds()))
        .isEqualTo("2027-01-01T00:00:40Z");
    Schedule other = every("s", 5_000).build();
    assertThat(Instant.ofEpochSecond(rig.book.upsert(other).getNextSlot().getSeconds()))
        .isEqualTo("2027-01-01T00:00:35Z");
  }

  @Test
  void aSlotThatTheBrokerHasNoRoomForIsTriedAgainAndOthersGoOn() throws Exception {
    for (int i = 0; i < 40; i++) {
      rig.book.upsert(every("full" + i, 10_000).build());
    }
    rig.book.upsert(every("other", 10_000).build());
    rig.set("2027-01-01T00:00:10Z");
    rig.outcome =
        task -> task.id().contains("full") ? EnqueueOutcome.FULL : EnqueueOutcome.ACCEPTED;
    assertThat(rig.look()).isEqualTo("2027-01-01T00:00:11Z");
    assertThat(rig.ids()).containsExactly("schedule:other:2027-01-01T00:00:10Z");
    rig.set("2027-01-01T00:00:11Z");
    rig.outcome = _ -> EnqueueOutcome.ACCEPTED;
    rig.look();
    assertThat(rig.ids()).hasSize(40).contains("schedule:full7:2027-01-01T00:00:10Z");
  }

  @Test
  void aSlotOfWhichNothingIsKnownIsTriedAgain() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    rig.set("2027-01-01T00:00:10Z");
    rig.available = false;
    assertThat(rig.look()).isEqualTo("2027-01-01T00:00:11Z");
    rig.available = true;
    rig.look();
    assertThat(rig.ids()).containsExactly("schedule:s:2027-01-01T00:00:10Z");
  }

  @Test
  void aSlotWhoseTaskIsRefusedIsNotedAndTheNextOneFires() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    rig.set("2027-01-01T00:00:10Z");
    rig.outcome = _ -> EnqueueOutcome.SWITCHED_OFF;
    assertThat(rig.look()).isEqualTo("2027-01-01T00:00:20Z");
    assertThat(rig.book.get("s").getLastFirings(0).getOutcome())
        .isEqualTo(FiringOutcome.FIRING_OUTCOME_SWITCHED_OFF);
    rig.outcome = _ -> EnqueueOutcome.ACCEPTED;
    rig.set("2027-01-01T00:00:20Z");
    rig.look();
    assertThat(rig.ids()).containsExactly("schedule:s:2027-01-01T00:00:20Z");
  }

  @Test
  void jitterDelaysASlotButNotItsName() throws Exception {
    rig.book.upsert(every("s", 3_600_000).setJitter(ScheduleSetup.duration(600_000)).build());
    Instant due = rig.look();
    assertThat(due).isBetween("2027-01-01T01:00:00Z", "2027-01-01T01:10:00Z");
    assertThat(due).isNotEqualTo("2027-01-01T01:00:00Z");
    rig.set(due.toString());
    rig.look();
    assertThat(rig.ids()).containsExactly("schedule:s:2027-01-01T01:00:00Z");
  }

  @Test
  void thereIsNoSlotBeforeTheStartAndFromTheEndOn() throws Exception {
    var schedule = every("s", 10_000);
    schedule.getStartBuilder().setSeconds(Instant.parse("2027-01-01T00:01:00Z").getEpochSecond());
    schedule.getEndBuilder().setSeconds(Instant.parse("2027-01-01T00:01:20Z").getEpochSecond());
    rig.book.upsert(schedule.build());
    for (int i = 0; i < 30; i++) {
      rig.look();
      rig.advance(10_000);
    }
    assertThat(rig.ids())
        .containsExactly("schedule:s:2027-01-01T00:01:00Z", "schedule:s:2027-01-01T00:01:10Z");
    assertThat(rig.book.get("s").hasNextSlot()).isFalse();
  }
}
