package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about schedules: each slot has one task, or none for a reason that the ledger
/// derives itself, across brokers and crashes (G1, G2, G5, G8).
final class ScheduleLedger {
  private static final String SLOT = "taskbroker-slot";

  /// How late a process that nothing disturbs may fire a slot, milliseconds.
  private static final long PATIENCE = 5_000;

  private final Ledger ledger;
  private final Map<SimulatedDisk, Map<String, Book>> books = new LinkedHashMap<>();

  private final Set<String> superseded = new HashSet<>();

  /// Last answer of the engine to the task of a slot, by broker and id.
  private final Map<String, EnqueueOutcome> answers = new HashMap<>();

  /// Schedules whose task operators want to run beside the slots, by the id of that task.
  private final Map<String, String> runs = new HashMap<>();

  /// Record of the schedules of one name in one store.
  private static final class Book {
    final Set<Schedule> wanted = new HashSet<>();
    final List<Past> past = new ArrayList<>();

    /// The durable version; null if there is none.
    @Nullable Held held;

    /// Slots that have a task, since the schedule was created.
    final Set<Long> fired = new HashSet<>();

    /// The same, of deleted ones of that name, too: brokers may remember their ids.
    final Set<Long> everFired = new HashSet<>();

    /// Returns false if the slot had a task before.
    boolean fire(long slot) {
      everFired.add(slot);
      return fired.add(slot);
    }

    void put(long now, @Nullable Held next) {
      held = next;
      past.add(new Past(now, next));
    }
  }

  private record Held(long version, ScheduleState state) {
    Schedule schedule() {
      return state.getSchedule();
    }

    ScheduleTimes times() {
      return ScheduleTimes.of(schedule());
    }

    /// The slot that is next; [ScheduleTimes#NONE] if there is none.
    long next() {
      return state.hasNextSlot() ? ScheduleTimes.millis(state.getNextSlot()) : ScheduleTimes.NONE;
    }
  }

  /// What a store had from then on.
  private record Past(long from, @Nullable Held held) {}

  ScheduleLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  private Book book(SimulatedBroker broker, String name) {
    return books
        .computeIfAbsent(broker.disk, _ -> new LinkedHashMap<>())
        .computeIfAbsent(name, _ -> new Book());
  }

  // What operators want.

  /// An operator is about to store a schedule.
  void wants(SimulatedBroker broker, Schedule schedule) {
    book(broker, schedule.getName()).wanted.add(schedule);
  }

  /// An operator is about to run the task of a schedule now.
  void wantsRun(String name, String id) {
    runs.put(id, name);
  }

  /// A request that was sent at `since` is answered: what it asked for was durable meanwhile.
  ///
  /// @param state what it asked for; of null if the schedule should not exist
  void answered(
      SimulatedBroker broker, String name, long since, Predicate<@Nullable ScheduleState> state) {
    Book book = book(broker, name);
    boolean was = book.past.isEmpty() && state.test(null);
    for (int i = 0; i < book.past.size(); i++) {
      Held held = book.past.get(i).held;
      boolean current = i + 1 == book.past.size() || book.past.get(i + 1).from >= since;
      was |= current && state.test(held == null ? null : held.state);
      was |= i == 0 && book.past.get(0).from >= since && state.test(null);
    }
    check(was, "G2", () -> broker.name + " answers what was never durable: " + name);
  }

  // What a process enqueues.

  /// A process enqueues the task of a schedule.
  void enqueued(SimulatedProcess process, Activation activation) {
    Task task = parse(activation.payload()).toBuilder().clearReceivedAt().build();
    String id = activation.id();
    String name =
        present(
            id.startsWith("schedule:") ? id.split(":", 3)[1] : runs.get(id),
            "G1",
            () -> process + " runs what nobody wants: " + id);
    Task template = task.toBuilder().clearId().removeHeaders(SLOT).build();
    check(
        book(process.broker, name).wanted.stream()
            .anyMatch(schedule -> schedule.getTask().equals(template)),
        "G1",
        () -> process + " enqueues another task than that of " + name);
    ledger.world.trace(() -> process + " enqueues " + id);
    ledger.enqueues.wants(process.broker, id, NewTask.newBuilder().setTask(task).build());
  }

  /// The engine answers.
  void answered(SimulatedProcess process, List<Activation> tasks, List<EnqueueOutcome> outcomes) {
    for (int i = 0; i < tasks.size(); i++) {
      answers.put(process.broker.name + " " + tasks.get(i).id(), outcomes.get(i));
    }
  }

  boolean isSuperseded(SimulatedProcess process, String id) {
    return superseded.contains(process + " " + id);
  }

  // Disk.

  void created(SimulatedProcess process, ScheduleRow row) {
    Book book = book(process.broker, row.name());
    Held next = held(row);
    changed(process, book, next);
    ledger.world.count("schedules created");
    book.fired.clear();
    firstSlot(process, book, next, 0);
    book.put(ledger.world.now(), next);
  }

  void replaced(SimulatedProcess process, ScheduleRow row, long version) {
    Book book = book(process.broker, row.name());
    Held before = known(process, book, row.name(), version);
    Held next = held(row);
    if (!next.schedule().equals(before.schedule())) {
      changed(process, book, next);
      ledger.world.count("schedules replaced");
      firstSlot(process, book, next, 0);
    } else if (next.state.getPaused() && !before.state.getPaused()) {
      ledger.world.count("schedules paused");
      check(!next.state.hasNextSlot(), "G5", () -> row.name() + " is paused and has a next slot");
    } else if (before.state.getPaused() && !next.state.getPaused()) {
      ledger.world.count("schedules resumed");
      firstSlot(process, book, next, book.past.getLast().from);
    } else {
      decided(process, book, before, next);
    }
    book.put(ledger.world.now(), next);
  }

  void deleted(SimulatedProcess process, String name) {
    ledger.world.count("schedules deleted");
    ledger.world.trace(() -> process + " deletes the schedule " + name);
    book(process.broker, name).put(ledger.world.now(), null);
  }

  /// A fire was made: the task of a slot, and the step of its schedule.
  void fired(SimulatedProcess process, Change.Fire fire) {
    String name = fire.step().next().name();
    Book book = book(process.broker, name);
    Held before = known(process, book, name, fire.step().version());
    Held next = held(fire.step().next());
    check(!before.state.getPaused(), "G5", () -> process + " fires a paused schedule: " + name);
    check(
        next.schedule().equals(before.schedule()),
        "G1",
        () -> process + " changes a schedule as it fires: " + name);
    var firing = next.state.getLastFirings(0);
    long slot = ScheduleTimes.millis(firing.getSlot());
    check(
        firing.getTaskId().equals(fire.id())
            && fire.id().equals("schedule:" + name + ":" + Instant.ofEpochMilli(slot)),
        "G4",
        () -> "the id of the slot " + Instant.ofEpochMilli(slot) + " is " + fire.id());
    check(book.fire(slot), "G1", () -> process + " fires a second time: " + fire.id());
    Task task =
        before.schedule().getTask().toBuilder()
            .setId(fire.id())
            .putHeaders(SLOT, Instant.ofEpochMilli(slot).toString())
            .build();
    ledger.enqueues.wants(process.broker, fire.id(), NewTask.newBuilder().setTask(task).build());
    ledger.world.count("slots fired");
    decided(process, book, before, next);
    book.put(ledger.world.now(), next);
  }

  /// A row is stored without a step: it must not be the task of a slot that has one.
  void inserted(SimulatedProcess process, Row row) {
    String id = row.activation().id();
    int end = id.startsWith("schedule:") ? id.indexOf(':', "schedule:".length()) : -1;
    if (end > 0) {
      long slot = Instant.parse(id.substring(end + 1)).toEpochMilli();
      Book book = book(process.broker, id.substring("schedule:".length(), end));
      check(book.fire(slot), "G1", () -> process + " fires a second time: " + id);
    }
  }

  /// A fire was not made, because the schedule is another one.
  void superseded(SimulatedProcess process, Change.Fire fire) {
    String name = fire.step().next().name();
    Held held = book(process.broker, name).held;
    check(
        held == null || held.version != fire.step().version() || ledger.plan.has(Fault.SLOT_LOCKED),
        "G8",
        () -> process + " does not fire a slot that is due: " + fire.id());
    ledger.world.count("slots superseded");
    superseded.add(process + " " + fire.id());
  }

  private Held known(SimulatedProcess process, Book book, String name, long version) {
    Held held =
        present(book.held, "G1", () -> process + " steps a schedule that is deleted: " + name);
    check(
        held.version == version,
        "G1",
        () -> process + " steps a version of a schedule that is replaced: " + name);
    return held;
  }

  /// Another schedule of that name is stored.
  private void changed(SimulatedProcess process, Book book, Held next) {
    String name = next.schedule().getName();
    ledger.world.trace(() -> process + " stores the schedule " + name);
    check(
        book.wanted.contains(next.schedule()),
        "G1",
        () -> process + " stores a schedule that nobody wants: " + next.schedule());
  }

  /// Checks the next slot of a schedule that begins or goes on: the first one after now.
  ///
  /// @param paused since when it did not run, by the time of the world; 0 if it did
  private void firstSlot(SimulatedProcess process, Book book, Held held, long paused) {
    if (held.state.getPaused()) {
      check(!held.state.hasNextSlot(), "G5", () -> "a paused schedule has a next slot");
      return;
    }
    ScheduleTimes times = held.times();
    long latest = process.broker.latestWall();
    long lastFired = book.fired.stream().mapToLong(each -> each).max().orElse(latest);
    check(
        held.next() <= times.after(Math.max(latest, lastFired)),
        "G1",
        () -> process + " passes slots over of " + held.schedule().getName());
    check(
        held.next() == ScheduleTimes.NONE || times.has(held.next()),
        "G5",
        () -> "no slot of " + held.schedule().getName() + ": " + held.next());
    boolean early =
        paused > 0
            && !ledger.plan.has(Fault.CLOCK_STEP)
            && held.next() <= SimulatedWorld.EPOCH + paused / SimulatedWorld.MS;
    check(!early, "G5", () -> process + " makes up for a pause of " + held.schedule().getName());
  }

  /// Checks a decision about the due slots of a schedule: what becomes of them, and which is next.
  private void decided(SimulatedProcess process, Book book, Held before, Held after) {
    String name = before.schedule().getName();
    ScheduleTimes times = before.times();
    var note = after.state.getLastFirings(0);
    long chosen = ScheduleTimes.millis(note.getSlot());
    long at = ScheduleTimes.millis(note.getAt());
    check(at <= process.broker.latestWall(), "G5", () -> "decided in the future: " + name);
    check(before.next() != ScheduleTimes.NONE, "G5", () -> "decided without a slot: " + name);
    check(
        chosen >= before.next() && times.has(chosen),
        "G5",
        () -> process + " decides about no slot of " + name + ": " + Instant.ofEpochMilli(chosen));
    check(chosen <= at, "G5", () -> process + " fires early: " + name);
    switch (note.getOutcome()) {
      case FIRING_OUTCOME_ENQUEUED ->
          check(
              book.fired.contains(chosen),
              "G1",
              () -> "a slot counts as fired, without task: " + name);
      case FIRING_OUTCOME_SKIPPED -> {
        check(
            before.schedule().getMissed() == MissedSlots.MISSED_SLOTS_SKIP
                && times.isLate(chosen, at),
            "G1",
            () -> process + " skips a slot without a reason: " + name);
        ledger.world.count("slots late");
        check(after.next() > chosen, "G1", () -> "a skipped slot is next: " + name);
        return;
      }
      case FIRING_OUTCOME_SWITCHED_OFF, FIRING_OUTCOME_ALREADY_EXISTS, FIRING_OUTCOME_REJECTED -> {
        String id = "schedule:" + name + ":" + Instant.ofEpochMilli(chosen);
        EnqueueOutcome answer = answers.get(process.broker.name + " " + id);
        check(
            answer != null
                && switch (note.getOutcome()) {
                  case FIRING_OUTCOME_SWITCHED_OFF -> answer == EnqueueOutcome.SWITCHED_OFF;
                  case FIRING_OUTCOME_ALREADY_EXISTS ->
                      answer == EnqueueOutcome.ALREADY_EXISTS && book.everFired.contains(chosen);
                  default ->
                      answer == EnqueueOutcome.EXPIRED || answer == EnqueueOutcome.UNSTORABLE;
                },
            "G1",
            () -> process + " gives a slot up that the engine answered " + answer + ": " + id);
        ledger.world.count("slots given up as " + answer);
      }
      default -> check(false, "G1", () -> "an unknown outcome: " + note);
    }
    if (chosen > before.next()) {
      ledger.world.count("slots skipped");
    }
    times.checkChoice(before.next(), chosen, at);
    check(
        after.next() == times.after(chosen),
        "G1",
        () -> process + " passes slots over after " + Instant.ofEpochMilli(chosen) + " of " + name);
  }

  // Liveness and end.

  /// A process runs undisturbed: what is due must have fired.
  void checkPrompt(SimulatedProcess process) {
    Map<String, Book> mine = books.getOrDefault(process.broker.disk, Map.of());
    mine.forEach((name, book) -> {
      Held held = book.held;
      check(
          held == null
              || held.next() == ScheduleTimes.NONE
              || held.times().latestDue(held.next()) > process.broker.wall() - PATIENCE,
          "G8",
          () -> process + " does not fire what is due: " + name);
    });
  }

  /// Whether no schedule has a further slot.
  boolean isDone() {
    return books.values().stream()
        .flatMap(each -> each.values().stream())
        .allMatch(book -> book.held == null || book.held.next() == ScheduleTimes.NONE);
  }

  private static Held held(ScheduleRow row) {
    try {
      return new Held(row.version(), ScheduleState.parseFrom(row.state()));
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }

  private static Task parse(byte[] payload) {
    try {
      return Task.parseFrom(payload);
    } catch (InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
  }
}
