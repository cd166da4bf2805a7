package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Worker and client against a real broker.
@Timeout(240)
final class WorkerTest {
  record Order(String number, int amount) {}

  private static final AtomicInteger NAMES = new AtomicInteger();

  @TempDir static Path dir;
  private static TestBroker broker;
  private static TaskClient client;

  /// Each test has an application of its own.
  private final String application = "app-" + NAMES.incrementAndGet();

  private final List<Worker> workers = new ArrayList<>();

  @BeforeAll
  static void startBroker() {
    broker = TestBroker.start(dir);
    client = TaskClient.connect(broker.address());
  }

  @AfterAll
  static void stopBroker() {
    client.close();
    broker.close();
  }

  @AfterEach
  void closeWorkers() {
    workers.forEach(Worker::close);
  }

  private Task<Order> task(String name) {
    return Task.of(name, Order.class)
        .application(application)
        .retry(RetryPolicy.fixed(3, Duration.ZERO).thenDiscard());
  }

  private Worker.Builder worker() {
    return Worker.builder(client).application(application).stopTimeout(Duration.ofSeconds(5));
  }

  private Worker run(Worker.Builder builder) {
    Worker worker = builder.start();
    workers.add(worker);
    return worker;
  }

  private static <T> T next(BlockingQueue<T> queue) throws InterruptedException {
    T value = queue.poll(60, TimeUnit.SECONDS);
    assertThat(value).as("something within 20 s").isNotNull();
    return value;
  }

  @Test
  void aTaskRunsWithItsArgumentAndContext() throws Exception {
    Task<Order> task = task("pack").namespace("depot").deadline(Duration.ofSeconds(7));
    var contexts = new LinkedBlockingQueue<TaskContext>();
    var orders = new LinkedBlockingQueue<Order>();
    Instant before = Instant.now();
    TaskHandle handle = client.enqueue(task.with(new Order("4711", 3)).header("tenant", "acme"));
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  orders.add(order);
                  contexts.add(context);
                }));
    assertThat(next(orders)).isEqualTo(new Order("4711", 3));
    TaskContext context = next(contexts);
    assertThat(context.id()).isEqualTo(handle.id()).hasSize(36);
    assertThat(handle.isNew()).isTrue();
    assertThat(context.name()).isEqualTo("pack");
    assertThat(context.namespace()).isEqualTo("depot");
    assertThat(context.application()).isEqualTo(application);
    assertThat(context.attempt()).isEqualTo(1);
    assertThat(context.maxAttempts()).isEqualTo(3);
    assertThat(context.headers()).containsEntry("tenant", "acme");
    assertThat(context.deadline()).isBetween(before.plusSeconds(7), Instant.now().plusSeconds(7));
    assertThat(context.token().number()).isPositive();
  }

  @Test
  void manyTasksRunOnceEach() {
    Task<Order> task = task("count");
    Set<String> seen = ConcurrentHashMap.newKeySet();
    var runs = new AtomicInteger();
    List<TaskCall<Order>> calls = new ArrayList<>();
    for (int i = 0; i < 3_000; i++) {
      calls.add(task.with(new Order("order-" + i, i)));
    }
    List<TaskHandle> handles = client.enqueueAll(calls);
    assertThat(handles).hasSize(3_000).allMatch(TaskHandle::isNew);
    run(
        worker()
            .slots(200)
            .handle(
                task,
                order -> {
                  runs.incrementAndGet();
                  seen.add(order.number());
                }));
    await().atMost(Duration.ofSeconds(60)).until(() -> seen.size() == 3_000);
    assertThat(runs).hasValue(3_000);
  }

  @Test
  void aFailedAttemptIsRetriedWithAHigherToken() throws Exception {
    Task<Order> task = task("flaky");
    var attempts = new LinkedBlockingQueue<TaskContext>();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  attempts.add(context);
                  if (!context.isLastAttempt()) {
                    throw new IllegalStateException("not yet");
                  }
                }));
    client.enqueue(task, new Order("1", 1));
    TaskContext first = next(attempts);
    TaskContext second = next(attempts);
    TaskContext third = next(attempts);
    assertThat(List.of(first.attempt(), second.attempt(), third.attempt()))
        .containsExactly(1, 2, 3);
    assertThat(second.token()).isGreaterThan(first.token());
    assertThat(third.token()).isGreaterThan(second.token());
    assertThat(third.id()).isEqualTo(first.id());
  }

  @Test
  void aFinalFailureIsNotRetriedAndABadArgumentIsOne() throws Exception {
    Task<Order> task = task("final");
    var runs = new LinkedBlockingQueue<Integer>();
    Worker worker =
        run(
            worker()
                .handle(
                    task,
                    (order, context) -> {
                      runs.add(context.attempt());
                      throw new FinalFailureException("no such order");
                    }));
    client.enqueue(task, new Order("1", 1));
    record Other(List<String> amount) {}
    client.enqueue(Task.of("final", Other.class).application(application), new Other(List.of("x")));
    await().until(() -> worker.counts().failed() == 2);
    assertThat(runs).containsExactly(1);
  }

  @Test
  void theDelayOfRetryLaterCounts() throws Exception {
    Task<Order> task = task("later");
    var times = new LinkedBlockingQueue<Instant>();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  times.add(Instant.now());
                  if (context.attempt() == 1) {
                    throw new RetryLaterException(Duration.ofMillis(700), "rate limited");
                  }
                }));
    client.enqueue(task, new Order("1", 1));
    assertThat(next(times).plusMillis(650)).isBefore(next(times));
  }

  @Test
  void aDelayedCallRunsNotBeforeItsTime() throws Exception {
    Task<Order> task = task("delayed");
    var times = new LinkedBlockingQueue<Instant>();
    run(worker().handle(task, order -> times.add(Instant.now())));
    Instant at = Instant.now().plusMillis(600);
    client.enqueue(task.with(new Order("1", 1)).at(at));
    Instant enqueued = Instant.now();
    client.enqueue(task.with(new Order("2", 1)).delay(Duration.ofMillis(1_200)));
    assertThat(next(times)).isAfterOrEqualTo(at);
    assertThat(next(times)).isAfterOrEqualTo(enqueued.plusMillis(1_150));
  }

  @Test
  void theSameKeyEnqueuesOnce() {
    Task<Order> task = task("once");
    TaskHandle first = client.enqueue(task.with(new Order("1", 1)).idempotencyKey("order-1"));
    TaskHandle again = client.enqueue(task.with(new Order("1", 1)).idempotencyKey("order-1"));
    assertThat(first.isNew()).isTrue();
    assertThat(again.isNew()).isFalse();
    assertThat(again.id()).isEqualTo(first.id());
  }

  @Test
  void theDeadlineInterruptsAndSaysWhy() throws Exception {
    Task<Order> task = task("slow").deadline(Duration.ofSeconds(1)).retry(RetryPolicy.none());
    var reasons = new LinkedBlockingQueue<Cancellation.Reason>();
    var actions = new AtomicInteger();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  context.cancellation().onRequest(actions::incrementAndGet);
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    reasons.add(context.cancellation().reason().orElseThrow());
                  }
                }));
    client.enqueue(task, new Order("1", 1));
    assertThat(next(reasons)).isEqualTo(Cancellation.Reason.DEADLINE);
    assertThat(actions).hasValue(1);
  }

  @Test
  void anActionOnCancellationThatThrowsStopsNothingElse() throws Exception {
    Task<Order> task = task("slow").deadline(Duration.ofSeconds(1)).retry(RetryPolicy.none());
    var interrupted = new LinkedBlockingQueue<String>();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  context
                      .cancellation()
                      .onRequest(() -> {
                        throw new IllegalStateException("of the test");
                      });
                  try {
                    new CountDownLatch(1).await();
                  } catch (InterruptedException e) {
                    interrupted.add(order.number());
                  }
                }));
    client.enqueue(task, new Order("1", 1));
    assertThat(next(interrupted)).isEqualTo("1");
    client.enqueue(task, new Order("2", 1));
    assertThat(next(interrupted)).isEqualTo("2");
  }

  @Test
  void heartbeatsMoveTheDeadline() throws Exception {
    Task<Order> task = task("long").deadline(Duration.ofSeconds(3));
    var done = new LinkedBlockingQueue<Integer>();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  Instant end = Instant.now().plusMillis(5_000);
                  while (Instant.now().isBefore(end)) {
                    context.heartbeat();
                    Thread.sleep(50);
                  }
                  done.add(context.attempt());
                }));
    client.enqueue(task, new Order("1", 1));
    assertThat(next(done)).isEqualTo(1);
    assertThat(done).isEmpty();
  }

  @Test
  void closingLetsRunningTasksFinishAndReportsThem() throws Exception {
    Task<Order> task = task("finish");
    var begun = new CountDownLatch(1);
    var finish = new CountDownLatch(1);
    Worker worker =
        run(
            worker()
                .handle(
                    task,
                    order -> {
                      begun.countDown();
                      finish.await();
                    }));
    client.enqueue(task, new Order("1", 1));
    begun.await();
    Thread closer = Thread.ofVirtual().start(worker::close);
    finish.countDown();
    closer.join();
    assertThat(worker.counts().completed()).isEqualTo(1);
    var runs = new LinkedBlockingQueue<Order>();
    run(worker().handle(task, runs::add));
    client.enqueue(task, new Order("2", 1));
    assertThat(next(runs)).isEqualTo(new Order("2", 1));
  }

  @Test
  void closingGivesBackWhatDoesNotFinish() throws Exception {
    Task<Order> task = task("give-back").retry(RetryPolicy.none());
    var begun = new CountDownLatch(1);
    var reasons = new LinkedBlockingQueue<Cancellation.Reason>();
    Worker worker =
        run(
            worker()
                .stopTimeout(Duration.ZERO)
                .handle(
                    task,
                    (order, context) -> {
                      begun.countDown();
                      try {
                        new CountDownLatch(1).await();
                      } finally {
                        reasons.add(context.cancellation().reason().orElseThrow());
                      }
                    }));
    client.enqueue(task, new Order("1", 1));
    begun.await();
    worker.close();
    assertThat(next(reasons)).isEqualTo(Cancellation.Reason.WORKER_STOPS);
    var attempts = new LinkedBlockingQueue<Integer>();
    run(worker().handle(task, (order, context) -> attempts.add(context.attempt())));
    assertThat(next(attempts)).isEqualTo(1);
  }

  @Test
  void middlewareIsAroundTheHandler() throws Exception {
    Task<Order> task = task("around");
    var steps = new LinkedBlockingQueue<String>();
    run(
        worker()
            .middleware(
                (context, next) -> {
                  steps.add("outer");
                  next.run();
                  steps.add("end");
                },
                (context, next) -> {
                  steps.add("inner");
                  next.run();
                })
            .handle(task, order -> steps.add("handler")));
    client.enqueue(task, new Order("1", 1));
    assertThat(List.of(next(steps), next(steps), next(steps), next(steps)))
        .containsExactly("outer", "inner", "handler", "end");
  }

  @Test
  void aTaskWithoutHandlerFailsAsItsPolicySays() {
    Task<Order> other = task("known");
    Worker worker = run(worker().handle(other, order -> {}));
    client.enqueue(task("unknown"), new Order("1", 1));
    await().until(() -> worker.counts().failed() == 3);
    assertThat(worker.taskNames()).isEqualTo(Set.of("default/known"));
  }

  @Test
  void aBrokerRestartLosesNothing(@TempDir Path own) throws Exception {
    try (TestBroker restarted = TestBroker.start(own, Map.of());
        TaskClient connected = TaskClient.connect(restarted.address())) {
      Task<Order> task = task("restart");
      Set<String> done = ConcurrentHashMap.newKeySet();
      var held = new CountDownLatch(1);
      try (Worker worker =
          Worker.builder(connected)
              .application(application)
              .handle(
                  task,
                  order -> {
                    if (order.amount() == 0) {
                      held.await();
                    }
                    done.add(order.number());
                  })
              .start()) {
        for (int i = 0; i < 100; i++) {
          connected.enqueue(task, new Order("before-" + i, i));
        }
        restarted.stop();
        var enqueue = connected.enqueueAsync(task.with(new Order("meanwhile", 1)));
        restarted.startAgain();
        held.countDown();
        assertThat(enqueue.get().isNew()).isTrue();
        connected.enqueue(task, new Order("after", 1));
        await().atMost(Duration.ofSeconds(60)).until(() -> done.size() == 102);
        assertThat(worker.counts().connections()).isGreaterThanOrEqualTo(2);
      }
    }
  }

  @Test
  void aCallerWaitsForTheEnd() {
    Task<Order> task = task("sum");
    run(worker().handle(task, (order, context) -> context.result(order.amount() * 2)));
    TaskHandle handle =
        client.enqueue(task.with(new Order("1", 21)).rememberFor(Duration.ofMinutes(1)));
    TaskOutcome outcome = handle.await(Duration.ofSeconds(20)).orThrow();
    assertThat(outcome.kind()).isEqualTo(TaskOutcome.Kind.COMPLETED);
    assertThat(handle.state()).isEqualTo(TaskState.ENDED);
    assertThat(client.handle(handle.id()).outcome()).contains(outcome);
  }

  @Test
  void aCallerSeesThatATaskFailed() {
    Task<Order> task = task("fail");
    run(
        worker()
            .handle(
                task,
                order -> {
                  throw new FinalFailureException("no such order");
                }));
    TaskHandle handle =
        client.enqueue(task.with(new Order("1", 1)).rememberFor(Duration.ofMinutes(1)));
    TaskOutcome outcome = handle.await(Duration.ofSeconds(20));
    assertThat(outcome.kind()).isEqualTo(TaskOutcome.Kind.FAILED);
    assertThatThrownBy(outcome::orThrow)
        .isInstanceOf(TaskFailedException.class)
        .hasMessageContaining(handle.id());
  }

  @Test
  void awaitTimesOutAndSaysSo() {
    TaskHandle handle = client.enqueue(task("nobody"), new Order("1", 1));
    assertThatThrownBy(() -> handle.await(Duration.ofMillis(200)))
        .isInstanceOf(TaskTimeoutException.class)
        .hasMessageContaining(handle.id());
    assertThat(handle.state()).isEqualTo(TaskState.PENDING);
  }

  @Test
  void anUnknownTaskIsNotFound() {
    assertThatThrownBy(() -> client.handle("no-such-id").state())
        .isInstanceOf(TaskNotFoundException.class)
        .hasMessageContaining("no-such-id");
  }

  @Test
  void cancellingStopsTheHandler() throws Exception {
    Task<Order> task = task("cancelled").retry(RetryPolicy.none());
    var begun = new CountDownLatch(1);
    var reasons = new LinkedBlockingQueue<Cancellation.Reason>();
    run(
        worker()
            .handle(
                task,
                (order, context) -> {
                  begun.countDown();
                  try {
                    new CountDownLatch(1).await();
                  } finally {
                    reasons.add(context.cancellation().reason().orElseThrow());
                  }
                }));
    TaskHandle handle =
        client.enqueue(task.with(new Order("1", 1)).rememberFor(Duration.ofMinutes(1)));
    begun.await();
    assertThat(handle.cancel()).isEqualTo(TaskState.RUNNING);
    assertThat(next(reasons)).isEqualTo(Cancellation.Reason.REQUESTED);
    assertThat(handle.await(Duration.ofSeconds(20)).kind()).isEqualTo(TaskOutcome.Kind.CANCELLED);
  }

  @Test
  void aWaitingTaskIsCancelledAtOnce() {
    TaskHandle handle =
        client.enqueue(task("waits").with(new Order("1", 1)).delay(Duration.ofHours(1)));
    assertThat(handle.state()).isIn(TaskState.DELAYED, TaskState.PARKED);
    assertThat(handle.cancel()).isEqualTo(TaskState.ENDED);
  }

  @Test
  void invalidCallsAreRefusedWithAReason() {
    TaskCall<Order> call = task("invalid").with(new Order("1", 1)).header("taskbroker-x", "1");
    assertThatThrownBy(() -> client.enqueue(call))
        .isInstanceOfSatisfying(
            TaskRejectedException.class,
            e -> assertThat(e.reason()).isEqualTo(TaskRejectedException.Reason.INVALID))
        .hasMessageContaining("taskbroker-x");
  }

  @Test
  void withoutABrokerAnEnqueueSaysWhatToDo() {
    try (TaskClient lost =
        TaskClient.builder()
            .target("127.0.0.1:" + Ports.free())
            .enqueueTimeout(Duration.ofMillis(300))
            .build()) {
      assertThatThrownBy(() -> lost.enqueue(task("lost"), new Order("1", 1)))
          .isInstanceOf(BrokerUnavailableException.class)
          .hasMessageContaining("check that the broker runs");
    }
  }

  @Test
  void tooManyUnansweredCallsAreRefusedAtOnce() {
    try (TaskClient lost =
        TaskClient.builder()
            .target("127.0.0.1:" + Ports.free())
            .enqueueTimeout(Duration.ofSeconds(5))
            .build()) {
      Task<Order> task = task("full");
      List<CompletableFuture<TaskHandle>> futures = new ArrayList<>();
      for (int i = 0; i < 10_001; i++) {
        futures.add(lost.enqueueAsync(task.with(new Order("1", 1))));
      }
      assertThatThrownBy(futures.getLast()::join).hasCauseInstanceOf(BrokerFullException.class);
      assertThatThrownBy(futures.getFirst()::join)
          .hasCauseInstanceOf(BrokerUnavailableException.class);
    }
  }
}
