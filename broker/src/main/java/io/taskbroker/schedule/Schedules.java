package io.taskbroker.schedule;

import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LogInterval;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.schedule.ScheduleException.Kind;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stage that keeps schedules: its thread answers requests, one after the other, and fires slots
/// when they are due. It sleeps until the next slot; brokers that share a store look once a second,
/// too, since another one may have changed a schedule.
///
/// Thread-safe; no method blocks. A request that cannot be carried out completes with a
/// [ScheduleException].
public final class Schedules implements Service {
  private static final Logger log = LoggerFactory.getLogger(Schedules.class);
  private static final String NAME = "schedules";
  private static final int MAX_REQUESTS = 1_000;
  private static final int MAX_KEY = 255;
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(2);

  /// Longest sleep: by then a clock that was set is noticed.
  private static final Duration LONGEST_SLEEP = Duration.ofMinutes(1);

  private static final Duration SHARED_SLEEP = Duration.ofSeconds(1);

  /// Sleep after the store did not answer.
  private static final Duration FAILURE_SLEEP = Duration.ofSeconds(1);

  private final BlockingQueue<Request<?>> requests;
  private final ScheduleBook book;
  private final SlotFiring firing;
  private final CommandSink engine;
  private final TaskTemplates templates;
  private final SystemContext context;
  private final long longestSleep;
  private final LoopThread thread;
  private volatile boolean stopped;

  // The stage's thread only.
  private long lookAt; // milliseconds since the epoch
  private final LogInterval failing = new LogInterval(Duration.ofMinutes(1));

  /// @param committer takes queries to the store
  /// @param shared whether other brokers share the store
  /// @param context its clock says which slots are due
  public Schedules(
      Consumer<StoreQuery> committer,
      CommandSink engine,
      TaskTemplates templates,
      boolean shared,
      Metrics metrics,
      FailureSink failures,
      SystemContext context) {
    this(committer, engine, templates, shared, metrics, failures, context, Waits.BLOCKING);
  }

  /// @param waits how its thread waits
  Schedules(
      Consumer<StoreQuery> committer,
      CommandSink engine,
      TaskTemplates templates,
      boolean shared,
      Metrics metrics,
      FailureSink failures,
      SystemContext context,
      Waits waits) {
    this.requests = waits.queue(MAX_REQUESTS);
    var store = new StoreAccess(committer, waits);
    this.engine = engine;
    this.templates = templates;
    this.context = context;
    this.longestSleep = (shared ? SHARED_SLEEP : LONGEST_SLEEP).toMillis();
    this.book =
        new ScheduleBook(
            store, templates, context.clock(), context.random(), ScheduleBook.MAX_SCHEDULES);
    this.firing = new SlotFiring(store, engine, templates, context.clock(), metrics);
    this.thread = new LoopThread(NAME, this::turn, failures);
  }

  /// Page of schedules, in the order of names.
  ///
  /// @param more whether there are more
  public record Page(List<ScheduleState> schedules, boolean more) {
    public Page {
      schedules = List.copyOf(schedules);
    }
  }

  private record Request<T>(Work<T> work, CompletableFuture<T> answer) {
    void carryOut() throws InterruptedException {
      try {
        answer.complete(work.result());
      } catch (RuntimeException e) { // of ours, or of the cron library
        answer.completeExceptionally(e);
      }
    }

    void refuse() {
      answer.completeExceptionally(
          new ScheduleException(Kind.UNAVAILABLE, "The broker is busy or stopping: try again"));
    }
  }

  private interface Work<T> {
    T result() throws InterruptedException;
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    stopped = true;
    if (!thread.stop(STOP_TIMEOUT)) {
      log.warn("A request about schedules is still being carried out");
    }
    refuseAll();
  }

  /// Creates or replaces a schedule; the same one again changes nothing.
  public CompletableFuture<ScheduleState> upsert(Schedule schedule) {
    return ask(() -> changed(book.upsert(schedule)));
  }

  /// As [#upsert], unless the schedule was replaced or deleted meanwhile.
  ///
  /// @param unchangedSince when it was replaced last, as the caller saw it; empty if that does not
  ///   matter
  public CompletableFuture<ScheduleState> upsert(
      Schedule schedule, Optional<Timestamp> unchangedSince) {
    return ask(() -> changed(book.upsert(schedule, unchangedSince)));
  }

  /// Schedule that [#upsert] would make, with the same refusals; changes nothing.
  public CompletableFuture<ScheduleState> preview(
      Schedule schedule, Optional<Timestamp> unchangedSince) {
    return ask(() -> book.preview(schedule, unchangedSince));
  }

  public CompletableFuture<ScheduleState> get(String name) {
    return ask(() -> book.get(name));
  }

  /// Schedules with names greater than `after`.
  ///
  /// @param limit at most 1,000; 0 stands for 100
  public CompletableFuture<Page> list(String after, int limit) {
    return ask(() -> book.list(after, limit));
  }

  /// Deletes a schedule if it exists.
  public CompletableFuture<Boolean> delete(String name) {
    return ask(() -> book.delete(name));
  }

  public CompletableFuture<ScheduleState> pause(String name) {
    return ask(() -> changed(book.pause(name)));
  }

  public CompletableFuture<ScheduleState> resume(String name) {
    return ask(() -> changed(book.resume(name)));
  }

  /// Slots of a schedule, which need not be stored.
  ///
  /// @param count at most 100; 0 stands for 10
  /// @param after milliseconds since the epoch
  public CompletableFuture<List<Timestamp>> nextTimes(Schedule schedule, int count, long after) {
    return ask(() -> book.nextTimes(schedule, count, after));
  }

  /// Enqueues the task of a schedule now.
  ///
  /// @param key a repeated request of the same key enqueues nothing more; empty for none
  /// @return the id of the task
  public CompletableFuture<String> runNow(String name, String key) {
    var id = new CompletableFuture<String>();
    var _ =
        ask(() -> task(name, key))
            .whenComplete((task, failure) -> {
              if (failure != null) {
                id.completeExceptionally(failure);
              } else {
                engine.request(new Command.Enqueue(List.of(task), new RunReply(task.id(), id)));
              }
            });
    return id;
  }

  private Activation task(String name, String key) throws InterruptedException {
    if (key.length() > MAX_KEY) {
      throw ScheduleException.invalid("idempotency_key has more than " + MAX_KEY + " bytes");
    }
    ScheduleState state = book.get(name);
    long now = context.clock().millis();
    String id =
        key.isEmpty()
            ? "schedule:" + name + ":run:" + UUID.randomUUID()
            : Ids.idempotent("schedule", name, key);
    return templates.task(
        state.getSchedule().getTask(), id, Instant.ofEpochMilli(now).toString(), now);
  }

  /// Current time, milliseconds since the epoch.
  public long now() {
    return context.clock().millis();
  }

  private <T> CompletableFuture<T> ask(Work<T> work) {
    var request = new Request<T>(work, new CompletableFuture<>());
    if (!requests.offer(request)) {
      request.refuse();
    } else if (stopped) {
      refuseAll();
    }
    return request.answer();
  }

  private void refuseAll() {
    for (var request = requests.poll(); request != null; request = requests.poll()) {
      request.refuse();
    }
  }

  private ScheduleState changed(ScheduleState state) {
    if (state.hasNextSlot()) {
      lookAt = Math.min(lookAt, SlotCalendar.millis("next_slot", state.getNextSlot()));
    }
    return state;
  }

  /// One turn of its thread.
  void turn() throws InterruptedException {
    long now = context.clock().millis();
    Request<?> request =
        requests.poll(Math.clamp(lookAt - now, 0, longestSleep), TimeUnit.MILLISECONDS);
    if (request != null) {
      request.carryOut();
    }
    now = context.clock().millis();
    if (lookAt <= now || request == null) {
      look(now);
    }
  }

  private void look(long now) throws InterruptedException {
    try {
      lookAt = firing.look();
      failing.over();
    } catch (ScheduleException e) {
      lookAt = now + FAILURE_SLEEP.toMillis();
      if (failing.isDue(e.kind(), context.ticker().nanoTime())) {
        log.warn("Schedules wait, since they cannot be read: {}", e.getMessage());
      }
    }
  }

  /// Answer of the engine to a task that is enqueued beside the slots.
  private record RunReply(String taskId, CompletableFuture<String> answer)
      implements Command.EnqueueReply {
    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      switch (outcomes.getFirst()) {
        case ACCEPTED, ALREADY_EXISTS -> answer.complete(taskId);
        case FULL -> refuse(Kind.FULL, "The broker is at its limits: try again later");
        case SWITCHED_OFF -> refuse(Kind.REFUSED, "A rule switches this task off");
        case EXPIRED -> refuse(Kind.REFUSED, "The task expires at once: see expires_seconds");
        case UNSTORABLE -> refuse(Kind.REFUSED, "The store cannot hold the task, see the log");
        case SUPERSEDED -> throw new IllegalStateException("A task without a slot: " + taskId);
      }
    }

    @Override
    public void unavailable(String why) {
      refuse(Kind.UNAVAILABLE, why);
    }

    private void refuse(Kind kind, String why) {
      answer.completeExceptionally(new ScheduleException(kind, why));
    }
  }
}
