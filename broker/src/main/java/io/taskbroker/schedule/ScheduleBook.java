package io.taskbroker.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Timestamp;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.schedule.ScheduleException.Kind;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;

/// Schedules of the store: checks, reads and changes them. Blocks. One thread at a time; several
/// brokers may change the same schedule.
final class ScheduleBook {
  static final int MAX_SCHEDULES = 10_000;
  static final int MAX_BYTES = 64 << 10;
  static final int MAX_MISSED = 1_000;
  static final int MAX_PAGE = 1_000;
  static final int MAX_TIMES = 100;
  private static final int MAX_NAME_BYTES = 200;
  private static final int MAX_DESCRIPTION_BYTES = 1_024;
  private static final int PAGE_BYTES = 1 << 20;

  /// How often a change is repeated because another one came first.
  private static final int ATTEMPTS = 10;

  private final StoreAccess store;
  private final TaskTemplates templates;
  private final InstantSource clock;
  private final RandomGenerator random;
  private final int maxSchedules;

  /// @param maxSchedules how many there may be; brokers that create at once may exceed it by a few
  ScheduleBook(
      StoreAccess store,
      TaskTemplates templates,
      InstantSource clock,
      RandomGenerator random,
      int maxSchedules) {
    this.maxSchedules = maxSchedules;
    this.store = store;
    this.templates = templates;
    this.clock = clock;
    this.random = random;
  }

  ScheduleState upsert(Schedule given) throws InterruptedException {
    return upsert(given, Optional.empty());
  }

  /// @param unchangedSince when the caller saw it replaced last; empty if that does not matter
  ScheduleState upsert(Schedule given, Optional<Timestamp> unchangedSince)
      throws InterruptedException {
    Schedule schedule = normalized(given);
    SlotCalendar calendar = checked(schedule);
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<StoredSchedule> found = find(schedule.getName());
      requireUnchanged(schedule.getName(), found, unchangedSince);
      if (isSame(found, schedule)) {
        return found.get().state();
      }
      ScheduleRow next = next(found, schedule, calendar);
      boolean done;
      if (found.isEmpty()) {
        done =
            store.on(schedules -> {
              if (schedules.count() >= maxSchedules) {
                throw new ScheduleException(
                    Kind.FULL, "There are " + maxSchedules + " schedules: delete one first");
              }
              return schedules.create(next);
            });
      } else {
        long version = found.get().version();
        done = store.on(schedules -> schedules.replace(next, version));
      }
      if (done) {
        return StoredSchedule.of(next).state();
      }
    }
    throw contended(schedule.getName());
  }

  /// Schedule that [#upsert] would make; changes nothing.
  ScheduleState preview(Schedule given, Optional<Timestamp> unchangedSince)
      throws InterruptedException {
    Schedule schedule = normalized(given);
    SlotCalendar calendar = checked(schedule);
    Optional<StoredSchedule> found = find(schedule.getName());
    requireUnchanged(schedule.getName(), found, unchangedSince);
    return isSame(found, schedule)
        ? found.get().state()
        : StoredSchedule.of(next(found, schedule, calendar)).state();
  }

  private static boolean isSame(Optional<StoredSchedule> found, Schedule schedule) {
    return found.isPresent() && found.get().schedule().equals(schedule);
  }

  private ScheduleRow next(
      Optional<StoredSchedule> found, Schedule schedule, SlotCalendar calendar) {
    long now = clock.millis();
    // No two schedules of a name have a version in common, unless by chance.
    return found.isEmpty()
        ? StoredSchedule.created(schedule, calendar, random.nextLong() >>> 2, now)
        : found.get().replacedBy(schedule, calendar, now);
  }

  private static void requireUnchanged(
      String name, Optional<StoredSchedule> found, Optional<Timestamp> unchangedSince) {
    if (unchangedSince.isPresent()
        && !found.map(it -> it.state().getUpdatedAt()).equals(unchangedSince)) {
      throw new ScheduleException(
          Kind.REFUSED,
          "The schedule " + name + " was changed or deleted meanwhile: look at it again");
    }
  }

  private Optional<StoredSchedule> find(String name) throws InterruptedException {
    return store.on(schedules -> schedules.find(name)).map(StoredSchedule::of);
  }

  ScheduleState get(String name) throws InterruptedException {
    return StoredSchedule.of(row(name)).state();
  }

  Schedules.Page list(String after, int limit) throws InterruptedException {
    if (limit < 0 || limit > MAX_PAGE) {
      throw ScheduleException.invalid("limit must be at most " + MAX_PAGE);
    }
    int most = limit == 0 ? 100 : limit;
    List<ScheduleRow> rows = store.on(schedules -> schedules.page(after, most + 1, PAGE_BYTES));
    List<ScheduleState> page = new ArrayList<>();
    for (ScheduleRow row : rows.subList(0, Math.min(most, rows.size()))) {
      page.add(StoredSchedule.of(row).state());
    }
    boolean more =
        rows.size() > most
            || (!rows.isEmpty()
                && !store.on(schedules -> schedules.page(rows.getLast().name(), 1, 1)).isEmpty());
    return new Schedules.Page(page, more);
  }

  /// Returns whether there was one.
  boolean delete(String name) throws InterruptedException {
    return store.on(schedules -> schedules.delete(name));
  }

  ScheduleState pause(String name) throws InterruptedException {
    return change(
        name,
        stored -> stored.state().getPaused() ? Optional.empty() : Optional.of(stored.paused()));
  }

  ScheduleState resume(String name) throws InterruptedException {
    return change(
        name,
        stored ->
            stored.state().getPaused()
                ? Optional.of(stored.resumed(clock.millis()))
                : Optional.empty());
  }

  /// @param after milliseconds since the epoch
  List<Timestamp> nextTimes(Schedule schedule, int count, long after) {
    if (count < 0 || count > MAX_TIMES) {
      throw ScheduleException.invalid("count must be at most " + MAX_TIMES);
    }
    SlotCalendar calendar = calendar(schedule);
    int most = count == 0 ? 10 : count;
    List<Timestamp> times = new ArrayList<>();
    long slot = calendar.next(after);
    while (slot != SlotCalendar.NONE && times.size() < most) {
      times.add(Timestamps.ofMillis(slot));
      slot = calendar.next(slot);
    }
    return times;
  }

  /// Changes a schedule.
  ///
  /// @param step empty if nothing changes
  private ScheduleState change(String name, Function<StoredSchedule, Optional<ScheduleRow>> step)
      throws InterruptedException {
    for (int i = 0; i < ATTEMPTS; i++) {
      StoredSchedule stored = StoredSchedule.of(row(name));
      Optional<ScheduleRow> next = step.apply(stored);
      if (next.isEmpty()) {
        return stored.state();
      }
      if (store.on(schedules -> schedules.replace(next.get(), stored.version()))) {
        return StoredSchedule.of(next.get()).state();
      }
    }
    throw contended(name);
  }

  private ScheduleRow row(String name) throws InterruptedException {
    return store
        .on(schedules -> schedules.find(name))
        .orElseThrow(() -> ScheduleException.notFound(name));
  }

  private static ScheduleException contended(String name) {
    return new ScheduleException(
        Kind.UNAVAILABLE, "The schedule " + name + " is being changed by others: try again");
  }

  /// The schedule with its defaults, so that the same schedule is equal however it was written.
  private static Schedule normalized(Schedule given) {
    Schedule.Builder schedule = given.toBuilder();
    if (given.hasCron()) {
      schedule
          .getCronBuilder()
          .setExpression(String.join(" ", given.getCron().getExpression().strip().split("\\s+")))
          .setTimeZone(
              given.getCron().getTimeZone().isEmpty() ? "UTC" : given.getCron().getTimeZone());
    }
    return schedule.build();
  }

  private SlotCalendar checked(Schedule schedule) {
    requireName(schedule.getName());
    if (schedule.getSerializedSize() > MAX_BYTES) {
      throw ScheduleException.invalid(
          "The schedule has more than "
              + MAX_BYTES
              + " bytes: pass a reference to large arguments");
    }
    if (schedule.getDescription().getBytes(UTF_8).length > MAX_DESCRIPTION_BYTES) {
      throw ScheduleException.invalid(
          "description has more than " + MAX_DESCRIPTION_BYTES + " bytes");
    }
    if (Integer.compareUnsigned(schedule.getMissedLimit(), MAX_MISSED) > 0) {
      throw ScheduleException.invalid("missed_limit must be at most " + MAX_MISSED);
    }
    var task = schedule.getTask();
    if (!task.getId().isEmpty() || task.hasNotBefore() || task.hasExpiresAt()) {
      throw ScheduleException.invalid(
          "task.id, task.not_before and task.expires_at must be unset: they would be the same for"
              + " each slot");
    }
    try {
      templates.check(task);
    } catch (IllegalArgumentException e) {
      throw ScheduleException.invalid("task: " + e.getMessage());
    }
    return calendar(schedule);
  }

  private static SlotCalendar calendar(Schedule schedule) {
    try {
      return SlotCalendar.of(schedule);
    } catch (IllegalArgumentException e) {
      throw ScheduleException.invalid(String.valueOf(e.getMessage()));
    }
  }

  private static void requireName(String name) {
    int bytes = name.getBytes(UTF_8).length;
    if (bytes == 0 || bytes > MAX_NAME_BYTES || name.chars().anyMatch(Character::isISOControl)) {
      throw ScheduleException.invalid(
          "name must have 1 to " + MAX_NAME_BYTES + " bytes and no control characters");
    }
  }
}
