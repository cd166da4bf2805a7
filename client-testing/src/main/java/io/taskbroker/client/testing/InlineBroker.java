package io.taskbroker.client.testing;

import com.google.protobuf.ByteString;
import io.taskbroker.client.Task;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskHandler;
import io.taskbroker.client.TaskMiddleware;
import io.taskbroker.client.TaskOutcome;
import io.taskbroker.client.spi.Attempt;
import io.taskbroker.client.spi.TaskRunner;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Result;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A broker and its worker in the thread of a test: nothing runs before the test says so, and time
/// passes when the test moves the clock.
///
/// ```java
/// InlineBroker broker = new InlineBroker().handle(SEND_RECEIPT, mails::send);
/// shop.checkout(broker.client(), order);
/// assertThat(broker.enqueued(SEND_RECEIPT)).containsExactly(new Receipt("4711", "a@example.org"));
/// broker.runDue();
/// broker.advance(Duration.ofMinutes(5)); // retries and delayed calls
/// ```
///
/// Arguments are encoded and decoded as in production. Retries come without jitter. Deadlines do
/// not pass while a handler runs. Thread-safe, but made for one thread.
public final class InlineBroker implements AutoCloseable {
  /// Bound on runs in one step, against tasks that enqueue themselves for ever.
  private static final int MAX_RUNS = 100_000;

  private final SettableClock clock = new SettableClock(Instant.parse("2026-01-01T00:00:00Z"));
  private final List<TaskRunner.Binding<?>> bindings = new ArrayList<>();
  private final List<TaskMiddleware> middleware = new ArrayList<>();
  private final Map<String, ArrayDeque<RuntimeException>> failures = new HashMap<>();
  private final TaskClient client;
  private final InlineTasks tasks;
  private @Nullable TaskRunner runner;
  private boolean runsAtOnce;

  public InlineBroker() {
    client = TaskClient.builder().clock(clock).transport(new InlineTransport(this)).build();
    tasks = new InlineTasks(client.payloads());
  }

  /// Binds a task to its code, as in a worker.
  public InlineBroker handle(Task<?>... defined) {
    for (Task<?> each : defined) {
      bindOwn(each);
    }
    return this;
  }

  private <T> void bindOwn(Task<T> task) {
    bind(
        task,
        task.handler()
            .orElseThrow(() -> new IllegalArgumentException(task + " has no code of its own")));
  }

  /// Binds a task to code, as in a worker.
  public <T> InlineBroker handle(Task<T> task, TaskHandler.OfArgument<T> handler) {
    return bind(task, (argument, context) -> handler.run(argument));
  }

  /// Binds a task to code that uses the context, as in a worker.
  public <T> InlineBroker handle(Task<T> task, TaskHandler<T> handler) {
    return bind(task, handler);
  }

  private synchronized <T> InlineBroker bind(Task<T> task, TaskHandler<T> handler) {
    bindings.add(new TaskRunner.Binding<>(task, handler));
    runner = null;
    return this;
  }

  /// Code around each attempt, as in a worker.
  public synchronized InlineBroker middleware(TaskMiddleware... added) {
    middleware.addAll(List.of(added));
    runner = null;
    return this;
  }

  /// Runs each call within its enqueue from now on, unless it is delayed.
  public synchronized InlineBroker runsAtOnce() {
    runsAtOnce = true;
    return this;
  }

  /// A client of this broker.
  public TaskClient client() {
    return client;
  }

  public SettableClock clock() {
    return clock;
  }

  /// Arguments of all calls of a task that were enqueued, in their order, whatever became of them.
  public synchronized <T> List<T> enqueued(Task<T> task) {
    return tasks.arguments(task);
  }

  /// Number of calls that were enqueued.
  public synchronized int enqueuedCalls() {
    return tasks.size();
  }

  /// Arguments of the dead letters of a task.
  public synchronized <T> List<T> deadLetters(Task<T> task) {
    return tasks.deadArguments(task);
  }

  /// Lets the next attempt of a task fail with this exception, without its code being run. Repeated
  /// calls add further failures.
  public synchronized InlineBroker failNext(Task<?> task, RuntimeException failure) {
    failures
        .computeIfAbsent(key(task.namespace(), task.name()), key -> new ArrayDeque<>())
        .addLast(failure);
    return this;
  }

  /// Forgets all calls, dead letters and failures to come; the clock, the handlers and the
  /// middleware stay.
  public synchronized void clear() {
    tasks.clear();
    failures.clear();
  }

  /// Runs all tasks that are due, and those that they enqueue, in the order of their times.
  ///
  /// @return the number of attempts
  public int runDue() {
    int runs = 0;
    for (InlineTask next = next(clock.instant()); next != null; next = next(clock.instant())) {
      if (++runs > MAX_RUNS) {
        throw new IllegalStateException("More than " + MAX_RUNS + " attempts: an endless loop?");
      }
      run(next);
    }
    return runs;
  }

  /// Moves the clock forward, from due time to due time, and runs what becomes due.
  ///
  /// @return the number of attempts
  public int advance(Duration by) {
    Instant end = clock.instant().plus(by);
    int runs = runDue();
    for (InlineTask next = next(end); next != null; next = next(end)) {
      clock.set(next.due);
      runs += runDue();
    }
    clock.set(end);
    return runs;
  }

  private synchronized @Nullable InlineTask next(Instant end) {
    return tasks.firstDue(end);
  }

  private void run(InlineTask task) {
    TaskRunner by;
    @Nullable Delivery delivery;
    synchronized (this) {
      by = runner();
      delivery = tasks.begin(task, clock.instant());
    }
    if (delivery != null) {
      Attempt attempt = new Attempt(delivery, client.payloads(), clock, running -> {});
      Result result = by.run(attempt);
      synchronized (this) {
        tasks.finish(task, result, attempt.progress(), clock.instant());
      }
    }
  }

  private TaskRunner runner() {
    if (runner == null) {
      List<TaskMiddleware> all = new ArrayList<>();
      all.add((context, next) -> {
        fail(context.namespace(), context.name());
        next.run();
      });
      all.addAll(middleware);
      runner = new TaskRunner(bindings, all, client.payloads());
    }
    return runner;
  }

  private void fail(String namespace, String name) {
    RuntimeException failure;
    synchronized (this) {
      ArrayDeque<RuntimeException> next = failures.get(key(namespace, name));
      failure = next == null ? null : next.pollFirst();
    }
    if (failure != null) {
      throw failure;
    }
  }

  private static String key(String namespace, String name) {
    return namespace + "/" + name;
  }

  // For the transport.

  InlineTasks.Added add(NewTask call) {
    InlineTasks.Added added;
    boolean runs;
    synchronized (this) {
      Instant now = clock.instant();
      added = tasks.add(call, now);
      runs = runsAtOnce && added.isNew() && !added.task().due.isAfter(now);
    }
    if (runs) {
      run(added.task());
    }
    return added;
  }

  synchronized Optional<InlineTask> find(String id) {
    return tasks.find(id);
  }

  synchronized void cancel(InlineTask task) {
    tasks.cancel(task);
  }

  /// Runs what is due, and moves the clock to the next due time, until the task has ended or the
  /// time is over.
  Optional<TaskOutcome> await(InlineTask task, Duration timeout) {
    Instant end = clock.instant().plus(timeout);
    runDue();
    for (InlineTask next = next(end); task.outcome == null && next != null; next = next(end)) {
      clock.set(next.due);
      runDue();
    }
    return Optional.ofNullable(task.outcome);
  }

  static ByteString resultOf(TaskOutcome outcome) {
    return ByteString.copyFrom(outcome.encodedResult());
  }

  @Override
  public void close() {
    client.close();
  }
}
