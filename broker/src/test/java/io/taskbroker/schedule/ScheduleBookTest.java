package io.taskbroker.schedule;

import static io.taskbroker.schedule.ScheduleSetup.cron;
import static io.taskbroker.schedule.ScheduleSetup.duration;
import static io.taskbroker.schedule.ScheduleSetup.every;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.schedule.ScheduleException.Kind;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Requests about schedules, and their bounds.
final class ScheduleBookTest {
  @TempDir private Path folder;
  private ScheduleRig rig;

  @BeforeEach
  void open() {
    rig = new ScheduleRig(SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0)));
    rig.set("2027-01-01T00:00:05Z");
  }

  @AfterEach
  void close() {
    rig.store.close();
  }

  @Test
  void theSameScheduleAgainChangesNothingAndAnotherOneIsComputedAnew() throws Exception {
    Schedule schedule = every("s", 10_000).build();
    ScheduleState first = rig.book.upsert(schedule);
    assertThat(next(first)).isEqualTo("2027-01-01T00:00:10Z");
    rig.set("2027-01-01T00:00:15Z");
    assertThat(rig.book.upsert(schedule)).isEqualTo(first);
    ScheduleState other = rig.book.upsert(every("s", 20_000).build());
    assertThat(next(other)).isEqualTo("2027-01-01T00:00:20Z");
    assertThat(other.getCreatedAt()).isEqualTo(first.getCreatedAt());
    assertThat(other.getUpdatedAt()).isNotEqualTo(first.getUpdatedAt());
  }

  @Test
  void aPreviewSaysWhatItWouldBeAndChangesNothing() throws Exception {
    ScheduleState would = rig.book.preview(every("s", 10_000).build(), Optional.empty());
    assertThat(next(would)).isEqualTo("2027-01-01T00:00:10Z");
    assertThatThrownBy(() -> rig.book.get("s")).satisfies(e -> isOf(e, Kind.NOT_FOUND));
    ScheduleState first = rig.book.upsert(every("s", 10_000).build());
    ScheduleState other = rig.book.preview(every("s", 20_000).build(), Optional.empty());
    assertThat(next(other)).isEqualTo("2027-01-01T00:00:20Z");
    assertThat(rig.book.get("s")).isEqualTo(first);
    assertThatThrownBy(() -> rig.book.preview(cron("s", "x", "").build(), Optional.empty()))
        .satisfies(e -> isOf(e, Kind.INVALID));
  }

  @Test
  void aChangeOfWhatWasChangedMeanwhileIsRefused() throws Exception {
    Optional<Timestamp> seen =
        Optional.of(rig.book.upsert(every("s", 10_000).build()).getUpdatedAt());
    rig.set("2027-01-01T00:00:15Z");
    ScheduleState changed = rig.book.upsert(every("s", 20_000).build(), seen);
    assertThat(next(changed)).isEqualTo("2027-01-01T00:00:20Z");
    assertThatThrownBy(() -> rig.book.upsert(every("s", 30_000).build(), seen))
        .satisfies(e -> isOf(e, Kind.REFUSED));
    assertThatThrownBy(() -> rig.book.preview(every("s", 30_000).build(), seen))
        .satisfies(e -> isOf(e, Kind.REFUSED));
    assertThat(rig.book.delete("s")).isTrue();
    assertThatThrownBy(() -> rig.book.upsert(every("s", 20_000).build(), seen))
        .satisfies(e -> isOf(e, Kind.REFUSED));
  }

  @Test
  void theSameScheduleMayBeWrittenInTwoWays() throws Exception {
    ScheduleState first = rig.book.upsert(cron("s", "0 0 * * *", "").build());
    rig.set("2027-01-01T00:01:00Z");
    assertThat(rig.book.upsert(cron("s", " 0  0 * * *", "UTC").build())).isEqualTo(first);
  }

  @Test
  void aReplacedScheduleStaysPaused() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    assertThat(rig.book.pause("s").getPaused()).isTrue();
    assertThat(rig.book.pause("s").hasNextSlot()).isFalse();
    assertThat(rig.book.upsert(every("s", 20_000).build()).getPaused()).isTrue();
    rig.set("2027-01-01T00:05:00Z");
    rig.look();
    assertThat(rig.ids()).isEmpty();
    assertThat(next(rig.book.resume("s"))).isEqualTo("2027-01-01T00:05:20Z");
    assertThat(next(rig.book.resume("s"))).isEqualTo("2027-01-01T00:05:20Z");
  }

  @Test
  void schedulesAreListedByNameInPages() throws Exception {
    for (String name : List.of("b", "ä", "a", "B", "c")) {
      rig.book.upsert(every(name, 10_000).build());
    }
    List<String> names = new ArrayList<>();
    Schedules.Page page = rig.book.list("", 2);
    while (page.more()) {
      assertThat(page.schedules()).hasSize(2);
      page.schedules().forEach(state -> names.add(state.getSchedule().getName()));
      page = rig.book.list(names.getLast(), 2);
    }
    page.schedules().forEach(state -> names.add(state.getSchedule().getName()));
    assertThat(names).containsExactly("B", "a", "b", "c", "ä");
  }

  @Test
  void aPageOfLargeSchedulesEndsEarly() throws Exception {
    for (int i = 0; i < 30; i++) {
      var large = every("s" + i, 10_000);
      large.getTaskBuilder().setArguments(ByteString.copyFrom(new byte[60_000]));
      rig.book.upsert(large.build());
    }
    Schedules.Page page = rig.book.list("", 1_000);
    assertThat(page.more()).isTrue();
    assertThat(page.schedules()).hasSizeBetween(10, 20);
  }

  @Test
  void aDeletedScheduleIsGoneAndItsNameIsFree() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    assertThat(rig.book.delete("s")).isTrue();
    assertThat(rig.book.delete("s")).isFalse();
    assertThatThrownBy(() -> rig.book.get("s")).satisfies(e -> isOf(e, Kind.NOT_FOUND));
    rig.set("2027-01-01T00:00:30Z");
    assertThat(next(rig.book.upsert(every("s", 10_000).build()))).isEqualTo("2027-01-01T00:00:40Z");
  }

  @Test
  void nextTimesNeedNoStoredSchedule() {
    assertThat(
            rig.book.nextTimes(
                cron("", "30 2 * * *", "Europe/Vienna").build(),
                2,
                Instant.parse("2027-03-27T12:00:00Z").toEpochMilli()))
        .extracting(Timestamp::getSeconds)
        .containsExactly(
            Instant.parse("2027-03-28T01:00:00Z").getEpochSecond(),
            Instant.parse("2027-03-29T00:30:00Z").getEpochSecond());
    assertThat(rig.book.nextTimes(every("", 1_000).build(), 0, 0)).hasSize(10);
    assertThatThrownBy(() -> rig.book.nextTimes(every("", 1_000).build(), 101, 0))
        .satisfies(e -> isOf(e, Kind.INVALID));
  }

  @Test
  void theNumberOfSchedulesIsBounded() throws Exception {
    rig.book.upsert(every("s", 10_000).build());
    for (int i = 1; i < ScheduleRig.MAX_SCHEDULES; i++) {
      rig.book.upsert(every("s" + i, 10_000).build());
    }
    assertThatThrownBy(() -> rig.book.upsert(every("t", 10_000).build()))
        .satisfies(e -> isOf(e, Kind.FULL));
    assertThat(next(rig.book.upsert(every("s", 20_000).build()))).isEqualTo("2027-01-01T00:00:20Z");
  }

  @Test
  void fieldsHaveBounds() {
    Map<String, Schedule.Builder> bad =
        Map.ofEntries(
            Map.entry("name must", every("", 10_000)),
            Map.entry("no control", every("a\nb", 10_000)),
            Map.entry("1 to 200", every("x".repeat(201), 10_000)),
            Map.entry("every must", every("s", 999)),
            Map.entry("366 days", every("s", 367L * 86_400_000)),
            Map.entry("phase must", every("s", 10_000).setPhase(duration(10_000))),
            Map.entry("phase is", cron("s", "0 0 * * *", "UTC").setPhase(duration(1))),
            Map.entry("cron or every", every("s", 10_000).clearEvery()),
            Map.entry("jitter must", every("s", 10_000).setJitter(duration(10_000))),
            Map.entry("start must", every("s", 10_000).setEnd(Timestamp.getDefaultInstance())),
            Map.entry("end must", every("s", 10_000).setEnd(Timestamp.newBuilder().setSeconds(-1))),
            Map.entry("missed_limit", every("s", 10_000).setMissedLimit(1_001)),
            Map.entry("description", every("s", 10_000).setDescription("x".repeat(1_025))),
            Map.entry("five fields", cron("s", "0 0 * *", "UTC")),
            Map.entry("task: name", every("s", 10_000).clearTask()));
    bad.forEach((message, schedule) ->
        assertThatThrownBy(() -> rig.book.upsert(schedule.build()))
            .satisfies(e -> isOf(e, Kind.INVALID))
            .hasMessageContaining(message));
  }

  @Test
  void theTaskHasTheBoundsOfAnEnqueuedOneAndNoTimesOfItsOwn() {
    Schedule.Builder withId = every("s", 10_000);
    withId.getTaskBuilder().setId("x");
    Schedule.Builder absolute = every("s", 10_000);
    absolute.getTaskBuilder().getNotBeforeBuilder().setSeconds(1);
    Schedule.Builder reserved = every("s", 10_000);
    reserved.getTaskBuilder().putHeaders("taskbroker-slot", "x");
    Schedule.Builder large = every("s", 10_000);
    large.getTaskBuilder().setArguments(ByteString.copyFrom(new byte[70_000]));
    for (Schedule.Builder bad : List.of(withId, absolute, reserved, large)) {
      assertThatThrownBy(() -> rig.book.upsert(bad.build())).satisfies(e -> isOf(e, Kind.INVALID));
    }
  }

  private static void isOf(Throwable e, Kind kind) {
    assertThat(e)
        .isInstanceOfSatisfying(
            ScheduleException.class, refused -> assertThat(refused.kind()).isEqualTo(kind));
  }

  private static String next(ScheduleState state) {
    return Instant.ofEpochSecond(state.getNextSlot().getSeconds()).toString();
  }
}
