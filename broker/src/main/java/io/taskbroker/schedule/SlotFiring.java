package io.taskbroker.schedule;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.runtime.LogInterval;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Enqueues the tasks of due slots. The engine stores each task together with the step of its
/// schedule to the next slot ([io.taskbroker.activation.Change.Fire]): the broker that commits the
/// step first fires the slot, and all others find the schedule changed (docs/adr/0040). Blocks; one
/// thread at a time.
final class SlotFiring {
  private static final Logger log = LoggerFactory.getLogger(SlotFiring.class);

  /// Schedules of one enqueue; each may have 64 KiB.
  private static final int BATCH = 32;

  /// Pause before slots are tried again that the broker had no room for, milliseconds.
  private static final long PAUSE = 1_000;

  private static final int PATIENCE_SECONDS = 30;

  private final StoreAccess store;
  private final CommandSink engine;
  private final TaskTemplates templates;
  private final InstantSource clock;
  private final Metrics metrics;
  private final LogInterval misunderstood = new LogInterval(Duration.ofMinutes(1));

  SlotFiring(
      StoreAccess store,
      CommandSink engine,
      TaskTemplates templates,
      InstantSource clock,
      Metrics metrics) {
    this.store = store;
    this.engine = engine;
    this.templates = templates;
    this.clock = clock;
    this.metrics = metrics;
  }

  /// Fires the due slots.
  ///
  /// @return when to look again, milliseconds since the epoch; [ScheduleRow#NEVER] if no slot is
  ///   known
  long look() throws InterruptedException {
    long now = clock.millis();
    boolean advanced = false;
    boolean held = false;
    long afterDue = Long.MIN_VALUE;
    String afterName = "";
    List<ScheduleRow> due;
    do {
      long fromDue = afterDue;
      String fromName = afterName;
      due = store.on(schedules -> schedules.due(fromDue, fromName, now, BATCH));
      int settled = due.isEmpty() ? 0 : fire(due, now);
      advanced |= settled > 0;
      held |= settled < due.size();
      if (!due.isEmpty()) {
        afterDue = due.getLast().dueAt();
        afterName = due.getLast().name();
      }
    } while (due.size() == BATCH);
    long from = held && !advanced ? now : Long.MIN_VALUE;
    long next = store.on(schedules -> schedules.nextDue(from));
    return held && !advanced ? Math.min(next, now + PAUSE) : next;
  }

  /// Fires the slots of these schedules.
  ///
  /// @return for how many it is known that they are not due any more in the same way
  private int fire(List<ScheduleRow> due, long now) throws InterruptedException {
    int settled = 0;
    List<Attempt> attempts = new ArrayList<>();
    for (ScheduleRow row : due) {
      try {
        StoredSchedule stored = StoredSchedule.of(row);
        SlotCalendar calendar = stored.calendar();
        DueSlot decided = DueSlot.of(stored.schedule(), calendar, stored.slot(), now);
        if (decided.skipsFirst()) {
          count("skipped", 1);
        }
        if (decided.fire() == SlotCalendar.NONE) {
          settled += advance(stored, calendar, decided, FiringOutcome.FIRING_OUTCOME_SKIPPED, now);
        } else {
          attempts.add(attempt(stored, calendar, decided, now));
        }
      } catch (ScheduleException e) {
        if (e.kind() != ScheduleException.Kind.REFUSED) {
          throw e;
        }
        report(row, e);
      } catch (RuntimeException e) { // of the cron library: the other schedules go on
        report(row, e);
      }
    }
    return attempts.isEmpty() ? settled : settled + enqueue(attempts, now);
  }

  private void report(ScheduleRow row, RuntimeException e) {
    if (misunderstood.isDue("misunderstood", Ticker.SYSTEM.nanoTime())) {
      log.error("Cannot fire the schedule {}, replace it: {}", row.name(), e.toString());
    }
  }

  /// Task of a slot, and the step of its schedule that comes with it.
  private record Attempt(
      StoredSchedule stored,
      SlotCalendar calendar,
      DueSlot decided,
      Activation task,
      ScheduleStep step) {}

  private Attempt attempt(StoredSchedule stored, SlotCalendar calendar, DueSlot decided, long now) {
    String slot = Instant.ofEpochMilli(decided.fire()).toString();
    String id = "schedule:" + stored.schedule().getName() + ":" + slot;
    Activation task = templates.task(stored.schedule().getTask(), id, slot, now);
    ScheduleRow next =
        stored.advanced(calendar, decided, FiringOutcome.FIRING_OUTCOME_ENQUEUED, id, now);
    return new Attempt(stored, calendar, decided, task, new ScheduleStep(stored.version(), next));
  }

  private int enqueue(List<Attempt> attempts, long now) throws InterruptedException {
    var reply = new Reply();
    engine.request(
        new Command.Enqueue(
            attempts.stream().map(Attempt::task).toList(),
            attempts.stream().map(Attempt::step).toList(),
            reply));
    List<EnqueueOutcome> outcomes = reply.await(store.waits());
    int settled = 0;
    for (int i = 0; i < outcomes.size(); i++) {
      settled += settle(attempts.get(i), outcomes.get(i), now);
    }
    return settled;
  }

  /// Handles the outcome of an attempt. Returns 0 if the slot must be tried again.
  private int settle(Attempt attempt, EnqueueOutcome outcome, long now)
      throws InterruptedException {
    return switch (outcome) {
      case ACCEPTED -> {
        count("enqueued", 1);
        long due = attempt.calendar().dueAt(attempt.decided().fire());
        metrics.scheduleDelay.observe(Math.max(0, clock.millis() - due) / 1e3);
        yield 1;
      }
      case SUPERSEDED -> {
        count("superseded", 1);
        yield 1;
      }
      case FULL -> {
        count("full", 1);
        yield 0;
      }
      case SWITCHED_OFF ->
          giveUp(attempt, "switched_off", FiringOutcome.FIRING_OUTCOME_SWITCHED_OFF, now);
      case ALREADY_EXISTS ->
          giveUp(attempt, "already_exists", FiringOutcome.FIRING_OUTCOME_ALREADY_EXISTS, now);
      case EXPIRED, UNSTORABLE ->
          giveUp(attempt, "rejected", FiringOutcome.FIRING_OUTCOME_REJECTED, now);
    };
  }

  private int giveUp(Attempt attempt, String counted, FiringOutcome outcome, long now)
      throws InterruptedException {
    int settled = advance(attempt.stored(), attempt.calendar(), attempt.decided(), outcome, now);
    count(counted, settled);
    return 1;
  }

  /// Goes on to the next slot without a task. Returns 0 if another broker changed the schedule.
  private int advance(
      StoredSchedule stored,
      SlotCalendar calendar,
      DueSlot decided,
      FiringOutcome outcome,
      long now)
      throws InterruptedException {
    ScheduleRow next = stored.advanced(calendar, decided, outcome, "", now);
    return store.on(schedules -> schedules.replace(next, stored.version())) ? 1 : 0;
  }

  private void count(String outcome, int slots) {
    if (slots > 0) {
      metrics.scheduleSlots.of(outcome).inc(slots);
    }
  }

  /// Awaited answer of the engine. Without one, nothing is known about the slots, and they are
  /// tried again: those that were fired have moved on by then.
  private static final class Reply implements Command.EnqueueReply {
    private final CompletableFuture<List<EnqueueOutcome>> answer = new CompletableFuture<>();

    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      answer.complete(outcomes);
    }

    @Override
    public void unavailable(String why) {
      answer.complete(List.of());
    }

    List<EnqueueOutcome> await(Waits waits) throws InterruptedException {
      try {
        return waits.get(answer, PATIENCE_SECONDS);
      } catch (TimeoutException _) {
        return List.of();
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
