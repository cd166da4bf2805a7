package io.taskbroker.deliver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command.PushEnded;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.TcpBalancer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Pushes to several workers behind one address or one name, over real connections (ADR 14).
@Timeout(240)
final class WorkerPoolTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int CONNECTIONS = 12;

  private final RecordedPushes intake = new RecordedPushes();
  private final List<AutoCloseable> open = new ArrayList<>();
  private int pushed;

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    assertThat(intake.outcomes).as("surplus outcomes").isEmpty();
  }

  @Test
  void workersBehindABalancerGetEqualShares() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    workers.forEach(worker -> worker.calls.clear());

    pushInTurn(client, 300);

    for (Worker worker : workers) {
      assertThat(worker.calls).hasSizeBetween(90, 110);
    }
  }

  @Test
  void pendingCallsAreSharedEvenly() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    workers.forEach(WorkerPoolTest::holdCalls);

    push(client, 120);
    await().until(() -> workers.stream().mapToInt(worker -> worker.calls.size()).sum() == 120);

    for (Worker worker : workers) {
      assertThat(worker.calls).hasSizeBetween(30, 50);
    }
    answerAll(workers);
    take(120, PushOutcome.ACCEPTED);
  }

  @Test
  void slowWorkerDoesNotDelayOthers() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    Worker slow = workers.getFirst();
    holdCalls(slow);

    push(client, 30);
    int answered = 0;
    for (int i = 0; i < 500; i++) {
      if (intake.next().outcome() == PushOutcome.ACCEPTED) {
        answered++;
      }
      push(client, 1);
    }

    assertThat(answered).isEqualTo(500);
    assertThat(slow.calls).as("calls held by the slow worker").hasSizeLessThanOrEqualTo(30);
    answerAll(List.of(slow));
    take(30, PushOutcome.ACCEPTED);
  }

  @Test
  void joiningWorkerGetsCallsAndNoneIsCut() throws Exception {
    List<Worker> workers = workers(2);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, Duration.ofMillis(500));
    warmUp(client, balancer);
    Worker held = workers.getFirst();
    holdCalls(held);
    int kept = pushHeld(client, held);
    List<Worker.Call> cut = List.copyOf(held.calls);
    held.answer = Status.OK;

    Worker joining = worker();
    balancer.add(joining.port());
    int before = balancer.accepted();
    while (joining.calls.size() < 20 || balancer.accepted() < before + 2 * CONNECTIONS) {
      pushInTurn(client, 1);
    }

    assertThat(cut).noneMatch(call -> call.call().isCancelled());
    assertThat(balancer.cut()).as("connections closed by workers").isZero();
    cut.forEach(call -> call.answer(Status.OK));
    take(kept, PushOutcome.ACCEPTED);
    await()
        .untilAsserted(() -> {
          pushInTurn(client, 1);
          assertThat(connections(balancer, List.of(held, workers.getLast(), joining)))
              .as("replaced connections are closed")
              .isLessThanOrEqualTo(CONNECTIONS + 2);
        });
  }

  @Test
  void g8DyingWorkerPausesOnlyItself() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    Worker dying = workers.getFirst();
    holdCalls(dying);
    int kept = pushHeld(client, dying);

    dying.close(); // the balancer still routes connections to it

    for (int i = 0; i < kept; i++) {
      PushEnded lost = intake.next();
      assertThat(lost.outcome()).isIn(PushOutcome.LOST, PushOutcome.UNANSWERED);
      assertThat(lost.others()).as("other workers are available").isTrue();
    }
    pushInTurn(client, 300);
  }

  @Test
  void g8SilentWorkerGetsFewCalls() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, Duration.ofMillis(400), LONG);
    warmUp(client, balancer);
    Worker silent = workers.getFirst();
    holdCalls(silent);

    int pushed = 3_000;
    push(client, 60);
    for (int i = 60; i < pushed; i++) {
      intake.next();
      push(client, 1);
    }
    for (int i = 0; i < 60; i++) {
      intake.next();
    }

    // A third of the first 60, then one per connection per 400 ms.
    assertThat(silent.calls).as("calls to the silent worker").hasSizeLessThan(pushed / 10);
  }

  @Test
  void g3CallsRefusedByAFullWorkerGoToAnother() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    Worker full = workers.getFirst();
    full.calls.clear();
    full.answer = Status.RESOURCE_EXHAUSTED.withDescription("worker busy");

    pushInTurn(client, 600);

    assertThat(full.calls).as("calls to the full worker").hasSizeBetween(1, 200);
  }

  @Test
  void fullWorkersAreReportedAsFull() throws Exception {
    List<Worker> workers = workers(2);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    workers.forEach(
        worker -> worker.answer = Status.RESOURCE_EXHAUSTED.withDescription("worker busy"));

    boolean others = true;
    for (int i = 0; i < CONNECTIONS && others; i++) {
      push(client, 1);
      PushEnded busy = intake.next();
      assertThat(busy.outcome()).isEqualTo(PushOutcome.BUSY);
      others = busy.others();
    }

    assertThat(others).as("other workers are available").isFalse();
    workers.getLast().answer = Status.OK;
    // A call is tried on three connections, which may all be those of the other worker if their
    // pauses are over.
    PushOutcome outcome = PushOutcome.BUSY;
    for (int i = 0; i < CONNECTIONS && outcome == PushOutcome.BUSY; i++) {
      push(client, 1);
      outcome = intake.next().outcome();
    }
    assertThat(outcome).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void g8RejectingWorkerGetsFewCalls() throws Exception {
    List<Worker> workers = workers(3);
    TcpBalancer balancer = balancer(workers);
    PushClient client = client(balancer, LONG, LONG);
    warmUp(client, balancer);
    workers.getFirst().answer = Status.UNAUTHENTICATED.withDescription("Authentication failed");

    int rejected = 0;
    for (int i = 0; i < 600; i++) {
      push(client, 1);
      if (intake.next().outcome() == PushOutcome.REJECTED) {
        rejected++;
      }
    }

    assertThat(rejected).isBetween(1, 60);
  }

  @Test
  void resolvedAddressesAreBalancedAndRefreshed() throws Exception {
    Worker first = worker();
    Worker second = Worker.start(InetAddress.ofLiteral("127.0.0.2"), first.port());
    Worker third = Worker.start(InetAddress.ofLiteral("127.0.0.3"), first.port());
    open.addAll(List.of(second, third));
    var addresses = new AtomicReference<>(List.of("127.0.0.1", "127.0.0.2"));
    var client =
        new PushClient(
            Map.of("app", URI.create("http://workers.test:" + first.port())),
            options(LONG, LONG),
            _ -> addresses.get().stream().map(InetAddress::ofLiteral).toList(),
            intake,
            new Metrics());
    client.start();
    open.add(client::stop);
    await()
        .until(() -> {
          pushInTurn(client, 1);
          return first.connections.size() + second.connections.size() == CONNECTIONS;
        });
    first.calls.clear();
    second.calls.clear();

    pushInTurn(client, 200);
    assertThat(first.calls).hasSizeBetween(98, 102);
    assertThat(second.calls).hasSizeBetween(98, 102);

    addresses.set(List.of("127.0.0.2", "127.0.0.3"));
    await()
        .until(() -> {
          pushInTurn(client, 1);
          return third.connections.size() == CONNECTIONS / 2;
        });
    first.calls.clear();
    third.calls.clear();
    pushInTurn(client, 200);
    assertThat(first.calls).isEmpty();
    assertThat(third.calls).hasSizeBetween(98, 102);
  }

  @Test
  void g8DeadAddressPausesOnlyItself() throws Exception {
    Worker worker = worker();
    var client =
        new PushClient(
            Map.of("app", URI.create("http://workers.test:" + worker.port())),
            options(LONG, LONG),
            _ -> Stream.of("127.0.0.2", "127.0.0.1").map(InetAddress::ofLiteral).toList(),
            intake,
            new Metrics());
    client.start();
    open.add(client::stop);

    pushInTurn(client, 100);
    Worker back = Worker.start(InetAddress.ofLiteral("127.0.0.2"), worker.port());
    open.add(back);

    await()
        .until(() -> {
          pushInTurn(client, 1);
          return back.connections.size() == CONNECTIONS / 2;
        });
  }

  @Test
  void g3OversizedResponseIsNotARefusal() throws Exception {
    Worker worker = worker();
    worker.reply = new byte[(64 << 10) + 1];
    PushClient client = client(balancer(List.of(worker)), LONG, LONG);

    push(client, 1);
    take(1, PushOutcome.UNANSWERED);
    worker.reply = new byte[64 << 10];
    push(client, 1);
    take(1, PushOutcome.ACCEPTED);
  }

  private Worker worker() throws IOException {
    Worker worker = Worker.start();
    open.add(worker);
    return worker;
  }

  private List<Worker> workers(int count) throws IOException {
    List<Worker> workers = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      workers.add(worker());
    }
    return workers;
  }

  private TcpBalancer balancer(List<Worker> workers) {
    TcpBalancer balancer =
        TcpBalancer.start(workers.stream().map(Worker::port).toArray(Integer[]::new));
    open.add(balancer);
    return balancer;
  }

  private static PushOptions options(Duration timeout, Duration age) {
    return new PushOptions(List.of(), timeout, 1 << 20)
        .with(new PushOptions.Connections(CONNECTIONS, age));
  }

  private PushClient client(TcpBalancer balancer, Duration timeout, Duration age) {
    var client =
        new PushClient(
            Map.of("app", URI.create(balancer.url())),
            options(timeout, age),
            intake,
            new Metrics());
    client.start();
    open.add(client::stop);
    return client;
  }

  /// Waits until all connections are established.
  private void warmUp(PushClient client, TcpBalancer balancer) {
    await()
        .until(() -> {
          pushInTurn(client, 1);
          return balancer.accepted() >= CONNECTIONS;
        });
  }

  private static int connections(TcpBalancer balancer, List<Worker> workers) {
    return workers.stream().mapToInt(worker -> balancer.connections(worker.port())).sum();
  }

  private static void holdCalls(Worker worker) {
    worker.calls.clear();
    worker.answer = null;
  }

  /// Pushes one call per connection; returns the number held by a worker.
  private int pushHeld(PushClient client, Worker holding) throws InterruptedException {
    push(client, CONNECTIONS);
    await().until(() -> holding.calls.size() + intake.outcomes.size() == CONNECTIONS);
    int held = holding.calls.size();
    assertThat(held).isPositive();
    take(CONNECTIONS - held, PushOutcome.ACCEPTED);
    return held;
  }

  private static void answerAll(List<Worker> workers) {
    for (Worker worker : workers) {
      List<Worker.Call> held = List.copyOf(worker.calls);
      worker.answer = Status.OK;
      held.forEach(call -> call.answer(Status.OK));
    }
  }

  /// Pushes sequentially; all calls are accepted.
  private void pushInTurn(PushClient client, int count) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      push(client, 1);
      take(1, PushOutcome.ACCEPTED);
    }
  }

  private void push(PushClient client, int count) {
    for (int i = 0; i < count; i++) {
      client.push(Deliveries.of("id-" + pushed++, "app", new byte[10]));
    }
  }

  private void take(int count, PushOutcome outcome) throws InterruptedException {
    for (int i = 0; i < count; i++) {
      PushEnded ended = intake.next();
      assertThat(ended.outcome()).as(ended.toString()).isEqualTo(outcome);
    }
  }
}
