package io.taskbroker.schedule;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.Status;
import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.telemetry.Metrics;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// A broker's schedules on a real store, with a clock that a test sets, and an engine that stores
/// what it is given, or answers as it is told.
final class ScheduleRig implements CommandSink {
  final ActivationStore store;
  final StoreAccess access = new StoreAccess(this::answer, Waits.BLOCKING);
  final ScheduleBook book;
  final SlotFiring firing;

  /// Tasks that were stored, in their order.
  final List<Activation> tasks = new ArrayList<>();

  /// Answers in place of the store; null for none.
  Function<Activation, EnqueueOutcome> outcome = _ -> EnqueueOutcome.ACCEPTED;

  /// Runs before a batch is stored.
  Runnable before = () -> {};

  boolean available = true;
  static final int MAX_SCHEDULES = 110;

  private Instant now = Instant.EPOCH;

  /// Shared, since several rigs may write to one store.
  private static final AtomicLong BATCHES = new AtomicLong();

  ScheduleRig(ActivationStore store) {
    this.store = store;
    var templates = new EnqueuedTemplates();
    this.book = new ScheduleBook(access, templates, () -> now, new Random(7), MAX_SCHEDULES);
    this.firing = new SlotFiring(access, this, templates, () -> now, new Metrics());
  }

  void set(String time) {
    now = Instant.parse(time);
  }

  void advance(long millis) {
    now = now.plusMillis(millis);
  }

  /// Looks until nothing is due, or nothing more can be done now.
  ///
  /// @return when to look again
  Instant look() throws InterruptedException {
    long next = firing.look();
    while (next <= now.toEpochMilli()) {
      next = firing.look();
    }
    return next == ScheduleRow.NEVER ? Instant.MAX : Instant.ofEpochMilli(next);
  }

  /// Ids of the stored tasks since the last call.
  List<String> ids() {
    List<String> ids = tasks.stream().map(Activation::id).toList();
    tasks.clear();
    return ids;
  }

  private void answer(StoreQuery query) {
    if (query instanceof StoreQuery.Schedules<?> schedules) {
      carryOut(schedules);
    }
  }

  private <T> void carryOut(StoreQuery.Schedules<T> query) {
    try {
      query.answer().complete(query.work().apply(store.schedules()));
    } catch (RuntimeException e) {
      query.answer().completeExceptionally(e);
    }
  }

  @Override
  public void request(Command.Request request) {
    Command.Enqueue enqueue = (Command.Enqueue) request;
    if (!available) {
      request.unavailable("the broker is stopping");
      return;
    }
    before.run();
    List<EnqueueOutcome> outcomes = new ArrayList<>();
    for (int i = 0; i < enqueue.activations().size(); i++) {
      outcomes.add(store(enqueue, i));
    }
    enqueue.reply().done(outcomes);
  }

  private EnqueueOutcome store(Command.Enqueue enqueue, int index) {
    Activation task = enqueue.activations().get(index);
    EnqueueOutcome told = outcome.apply(task);
    if (told != EnqueueOutcome.ACCEPTED) {
      return told;
    }
    Row row = Row.arriving(store.lastKey() + 1, task, Status.PENDING, now.toEpochMilli());
    Change change = new Change.Fire(row, enqueue.steps().get(index), null);
    if (store.commit(new WriteBatch(BATCHES.incrementAndGet(), List.of(change))).getFirst()
        == ChangeOutcome.SUPERSEDED) {
      return EnqueueOutcome.SUPERSEDED;
    }
    tasks.add(task);
    return EnqueueOutcome.ACCEPTED;
  }

  @Override
  public void submit(Command command) {
    throw new AssertionError(command);
  }
}
