package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnknownFieldSet;
import io.grpc.Status;
import io.netty.channel.epoll.Epoll;
import io.taskbroker.inflight.Deliveries;
import io.taskbroker.inflight.api.Command.PushEnded;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.Ports;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Push client against realistic workers, over real connections.
@Timeout(240)
final class PushClientTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final byte[] ACTIVATION =
      TaskActivation.newBuilder()
          .setId("a1")
          .putHeaders("k", "v")
          .setUnknownFields(
              UnknownFieldSet.newBuilder()
                  .addField(
                      99,
                      UnknownFieldSet.Field.newBuilder()
                          .addLengthDelimited(ByteString.copyFromUtf8("from the future"))
                          .build())
                  .build())
          .build()
          .toByteArray();

  private final RecordedPushes intake = new RecordedPushes();
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void closeAll() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
    assertThat(intake.outcomes).as("surplus outcomes").isEmpty();
  }

  @Test
  void w44DeliversTheBytesUnchanged() throws Exception {
    Worker worker = worker();
    PushClient client = client(worker.address(), LONG);

    client.push(delivery("x", ACTIVATION));

    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    Worker.Call call = worker.calls.take();
    PushTaskRequest request = PushTaskRequest.parseFrom(call.message());
    assertThat(request.getTask().toByteArray()).isEqualTo(ACTIVATION);
    assertThat(request.getTask().getUnknownFields().hasField(99)).isTrue();
    assertThat(call.signature()).isNull();
  }

  @Test
  void operatorsSeeTheAddressesWithTheirCalls() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    URI closed = URI.create("http://127.0.0.1:" + Ports.free());
    PushClient client =
        start(
            new PushClient(
                Map.of("app", worker.address(), "gone", closed),
                new PushOptions(List.of(), LONG, 1 << 20),
                intake,
                new Metrics()));
    client.push(delivery("x", ACTIVATION));
    client.push(delivery("y", ACTIVATION));
    await()
        .untilAsserted(() -> {
          List<PushAddress> seen = client.addresses().get(60, SECONDS);
          assertThat(seen)
              .filteredOn(it -> it.application().equals("app"))
              .singleElement()
              .satisfies(it -> assertThat(it.address()).endsWith(":" + worker.address().getPort()))
              .satisfies(it -> assertThat(it.calls()).isEqualTo(2))
              .satisfies(it -> assertThat(it.connections()).isPositive())
              .satisfies(it -> assertThat(it.unreachable()).isFalse());
          assertThat(seen)
              .filteredOn(it -> it.application().equals("gone"))
              .singleElement()
              .satisfies(it -> assertThat(it.unreachable()).isTrue());
        });
    worker.calls.take().answer(Status.OK);
    worker.calls.take().answer(Status.OK);
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void earlyPushIsSentOnStart() throws Exception {
    Worker worker = worker();
    var client =
        new PushClient(
            Map.of("app", worker.address()),
            new PushOptions(List.of(), LONG, 1 << 20),
            intake,
            new Metrics());
    client.push(delivery("x", ACTIVATION));
    assertThat(intake.outcomes).isEmpty();

    client.start();
    open.add(client::stop);
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void signsWithTheFirstSecret() throws Exception {
    Worker worker = worker();
    PushClient client =
        client(worker.address(), new PushOptions(List.of("first", "second"), LONG, 1 << 20));

    client.push(delivery("x", ACTIVATION));

    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    Worker.Call call = worker.calls.take();
    Signatures.Signer first =
        new Signatures(List.of("first"))
            .forPath("/sentry_protos.taskbroker.v1.WorkerService/PushTask");
    assertThat(call.signature()).isNotNull();
    assertThat(first.accepts(call.message(), call.signature())).isTrue();
  }

  @Test
  void w45ManyCallsShareFewConnections() throws Exception {
    int pushes = 1_000;
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), LONG);

    for (int i = 0; i < pushes; i++) {
      client.push(delivery("id-" + i, ACTIVATION));
    }
    await().until(() -> worker.calls.size() == pushes);
    assertThat(intake.outcomes).isEmpty();
    new ArrayList<>(worker.calls).reversed().forEach(call -> call.answer(Status.OK));

    Set<String> ids = new HashSet<>();
    for (int i = 0; i < pushes; i++) {
      PushEnded pushed = intake.next();
      assertThat(pushed.outcome()).isEqualTo(PushOutcome.ACCEPTED);
      ids.add(pushed.delivery().id());
    }
    assertThat(ids).hasSize(pushes);
    assertThat(worker.connections).hasSizeBetween(1, 12);
  }

  @ParameterizedTest
  @CsvSource({
    "RESOURCE_EXHAUSTED, worker busy, BUSY",
    "RESOURCE_EXHAUSTED, Received message larger than max, REFUSED",
    "RESOURCE_EXHAUSTED, '', OVERLOADED",
    "UNAUTHENTICATED, Authentication failed, REJECTED",
    "INVALID_ARGUMENT, no, REFUSED",
    "UNAVAILABLE, worker stops, OVERLOADED",
    "CANCELLED, no, UNANSWERED"
  })
  void h09h24AnswersOfWorkers(Status.Code code, String description, PushOutcome outcome)
      throws Exception {
    Worker worker = worker();
    worker.answer = code.toStatus().withDescription(description);
    PushClient client = client(worker.address(), LONG);

    client.push(delivery("x", ACTIVATION));

    PushEnded pushed = intake.next();
    assertThat(pushed.outcome()).isEqualTo(outcome);
    assertThat(pushed.detail()).startsWith(code.name()).contains(description);
    assertThat(pushed.detail().contains("calls are not signed"))
        .isEqualTo(code == Status.Code.UNAUTHENTICATED);
  }

  @Test
  void h24MessageTooLargeForTheWorkerIsRefused() throws Exception {
    Worker worker = Worker.taking(1_000);
    open.add(worker);
    PushClient client = client(worker.address(), LONG);

    client.push(delivery("large", new byte[2_000]));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.REFUSED);
    client.push(delivery("small", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void h24MessageOverOwnLimitIsRefusedUnsent() throws Exception {
    Worker worker = worker();
    PushClient client = client(worker.address(), new PushOptions(List.of(), LONG, 1_000));

    client.push(delivery("fits", new byte[1_000 - 3]));
    client.push(delivery("large", new byte[1_000 - 2]));

    // The first is invalid protobuf, which this worker does not decode.
    Map<String, PushOutcome> outcomes =
        Map.of("fits", PushOutcome.ACCEPTED, "large", PushOutcome.REFUSED);
    for (int i = 0; i < 2; i++) {
      PushEnded pushed = intake.next();
      assertThat(pushed.outcome()).isEqualTo(outcomes.get(pushed.delivery().id()));
    }
    assertThat(worker.calls).hasSize(1);
  }

  @Test
  void w13WorkerThatIsDownIsUnreachable() throws Exception {
    PushClient client = client(URI.create("http://127.0.0.1:" + Ports.free()), LONG);

    for (int i = 0; i < 3; i++) {
      client.push(delivery("x", ACTIVATION));
      PushEnded pushed = intake.next();
      assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
      assertThat(pushed.detail()).contains("UNAVAILABLE").contains("Connection refused");
    }
  }

  @Test
  void unknownHostIsUnreachable() throws Exception {
    PushClient client = client(URI.create("http://no-such-host.invalid:50052"), LONG);

    client.push(delivery("x", ACTIVATION));
    client.push(delivery("y", ACTIVATION));

    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 30})
  void recoveredWorkerGetsTheNextPush(int failures) throws Exception {
    int port = Ports.free();
    PushClient client = client(URI.create("http://127.0.0.1:" + port), LONG);
    for (int i = 0; i < failures; i++) {
      client.push(delivery("x", ACTIVATION));
      assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    }

    open.add(Worker.start(port));
    client.push(delivery("x", ACTIVATION));

    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void h09CallsToADyingWorkerAreLost() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), LONG);
    for (int i = 0; i < 10; i++) {
      client.push(delivery("x", ACTIVATION));
    }
    await().until(() -> worker.calls.size() == 10);

    worker.close();

    for (int i = 0; i < 10; i++) {
      assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNANSWERED);
    }
    client.push(delivery("y", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    open.add(Worker.start(worker.port()));
    client.push(delivery("y", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void callsEndOnAClosingConnection() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), LONG);
    client.push(delivery("old", ACTIVATION));
    Worker.Call call = worker.calls.take();

    worker.answer = Status.OK;
    worker.leave();
    do {
      client.push(delivery("new", ACTIVATION));
    } while (intake.next().outcome() == PushOutcome.ACCEPTED);
    client.push(delivery("new", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    call.answer(Status.OK);

    PushEnded old = intake.next();
    assertThat(old.delivery().id()).isEqualTo("old");
    assertThat(old.outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  @Test
  void h09RefusedStreamProvesNonDelivery() throws Exception {
    assertThat(outcome((stream, out) -> out.write(RawWorker.reset(stream, 7))))
        .isEqualTo(PushOutcome.UNREACHABLE);
  }

  @ParameterizedTest
  @CsvSource({"2, REJECTED", "8, UNANSWERED"})
  void h09OtherResetsProveNothing(int error, PushOutcome outcome) throws Exception {
    assertThat(outcome((stream, out) -> out.write(RawWorker.reset(stream, error))))
        .isEqualTo(outcome);
  }

  @Test
  void h09GoAwayBelowACallProvesNonDelivery() throws Exception {
    assertThat(outcome((stream, out) -> out.write(RawWorker.goAway(0, 0))))
        .isEqualTo(PushOutcome.UNREACHABLE);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 2, 11})
  void h09GoAwayCoveringACallProvesNothing(int error) throws Exception {
    assertThat(
            outcome((stream, out) -> {
              out.write(RawWorker.goAway(stream, error));
              throw new IOException("This closes the connection");
            }))
        .isEqualTo(PushOutcome.LOST);
  }

  @Test
  void h24GoAwayWithAnErrorBlamesNoCall() throws Exception {
    assertThat(outcome((stream, out) -> out.write(RawWorker.goAway(0, 11))))
        .isEqualTo(PushOutcome.LOST);
  }

  @Test
  void h09BrokenConnectionProvesNothing() throws Exception {
    assertThat(
            outcome((stream, out) -> {
              throw new IOException("This closes the connection");
            }))
        .isEqualTo(PushOutcome.LOST);
  }

  @Test
  void h09CallHeldBackBySettingsWasNeverSent() throws Exception {
    RawWorker worker = RawWorker.ofOneCall();
    open.add(worker);
    PushClient client =
        client(
            worker.address(),
            new PushOptions(List.of(), LONG, 1 << 20).with(new PushOptions.Connections(1, LONG)));
    client.push(delivery("sent", ACTIVATION));
    await().until(worker::hasCall);
    client.push(delivery("held back", ACTIVATION));

    worker.close();

    Map<String, PushOutcome> outcomes =
        Map.of("sent", PushOutcome.LOST, "held back", PushOutcome.UNREACHABLE);
    for (int i = 0; i < 2; i++) {
      PushEnded pushed = intake.next();
      assertThat(pushed.outcome())
          .as(pushed.toString())
          .isEqualTo(outcomes.get(pushed.delivery().id()));
    }
  }

  @Test
  void silentListenerTimesOutUnreached() throws Exception {
    try (ServerSocket full = new ServerSocket(0)) {
      PushClient client =
          client(URI.create("http://127.0.0.1:" + full.getLocalPort()), Duration.ofMillis(300));

      client.push(delivery("x", ACTIVATION));

      PushEnded pushed = intake.next();
      assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
      assertThat(pushed.detail()).isEqualTo("No answer within 300 ms");
    }
  }

  @Test
  void h09CallWithoutResponseInTimeIsUnanswered() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), Duration.ofSeconds(2));

    client.push(delivery("first", ACTIVATION));
    Worker.Call first = worker.calls.take();
    PushEnded pushed = intake.next();
    assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNANSWERED);
    assertThat(pushed.detail()).isEqualTo("No answer within 2000 ms");
    await().until(first.call()::isCancelled);

    worker.answer = Status.OK;
    client.push(delivery("second", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
  }

  /// A middlebox dropped the connection without notice.
  @Test
  void idleConnectionIsNotReused() throws Exception {
    Worker worker = worker();
    var proxy = new SilentProxy(worker.port());
    open.add(proxy);
    PushClient client =
        client(
            proxy.address(),
            new PushOptions(List.of(), LONG, 1 << 20)
                .with(new PushOptions.Connections(1, LONG, Duration.ofSeconds(1))));
    client.push(delivery("x", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    await().until(() -> proxy.open() == 0);
    proxy.forget();

    client.push(delivery("y", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    assertThat(proxy.connections()).isEqualTo(2);
  }

  /// Connection to a vanished machine: its system acknowledges nothing more.
  @Test
  void h09StalledConnectionFailsLongBeforeTheTimeout() throws Exception {
    if (!Epoll.isAvailable()) {
      return; // a Linux option
    }
    RawWorker worker = RawWorker.frozen();
    open.add(worker);
    PushClient client = client(worker.address(), LONG);

    client.push(delivery("x", new byte[60_000]));

    PushEnded pushed = intake.next();
    assertThat(pushed.outcome()).isEqualTo(PushOutcome.LOST);
    assertThat(pushed.detail()).doesNotContain("No answer within");
  }

  @Test
  void timesOutInOrderWhileOthersEnd() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), Duration.ofSeconds(5));
    for (int i = 0; i < 30; i++) {
      client.push(
          delivery("id-" + i, TaskActivation.newBuilder().setId("" + i).build().toByteArray()));
    }
    for (int i = 0; i < 30; i++) {
      Worker.Call call = worker.calls.take();
      String id = PushTaskRequest.parseFrom(call.message()).getTask().getId();
      if (Integer.parseInt(id) % 3 == 1) { // calls need not arrive in order
        call.answer(Status.OK);
      }
    }

    List<String> lost = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      PushEnded pushed = intake.next();
      if (pushed.outcome() == PushOutcome.UNANSWERED) {
        lost.add(pushed.delivery().id());
      }
    }

    assertThat(lost).hasSize(20).startsWith("id-0", "id-2", "id-3", "id-5").endsWith("id-29");
  }

  @Test
  void w26ApplicationsDoNotWaitForEachOther() throws Exception {
    Worker stuck = worker();
    stuck.answer = null;
    Worker well = worker();
    PushClient client =
        start(
            new PushClient(
                Map.of("stuck", stuck.address(), "well", well.address()),
                new PushOptions(List.of(), LONG, 1 << 20),
                intake,
                new Metrics()));
    for (int i = 0; i < 100; i++) {
      client.push(Deliveries.of("s" + i, "stuck", ACTIVATION));
    }

    client.push(Deliveries.of("w", "well", ACTIVATION));

    assertThat(intake.next().delivery().id()).isEqualTo("w");
    await().until(() -> stuck.calls.size() == 100);
    stuck.calls.forEach(call -> call.answer(Status.OK));
    for (int i = 0; i < 100; i++) {
      assertThat(intake.next().outcome()).isEqualTo(PushOutcome.ACCEPTED);
    }
  }

  @Test
  void applicationWithoutWorkerIsUnreachable() throws Exception {
    PushClient client = client(URI.create("http://127.0.0.1:1"), LONG);

    client.push(Deliveries.of("x", "other", ACTIVATION));

    PushEnded pushed = intake.next();
    assertThat(pushed.outcome()).isEqualTo(PushOutcome.UNREACHABLE);
    assertThat(pushed.detail()).contains("'other'");
  }

  @Test
  void stopLetsCallsEnd() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), LONG);
    client.push(delivery("x", ACTIVATION));
    Worker.Call call = worker.calls.take();

    worker.answer = Status.OK;
    Thread stop = Thread.ofVirtual().start(client::stop);
    do {
      client.push(delivery("late", ACTIVATION));
    } while (intake.next().outcome() == PushOutcome.ACCEPTED);
    call.answer(Status.OK);

    PushEnded pushed = intake.next();
    assertThat(pushed.delivery().id()).isEqualTo("x");
    assertThat(pushed.outcome()).isEqualTo(PushOutcome.ACCEPTED);
    assertThat(stop.join(Duration.ofSeconds(60))).isTrue();
  }

  @Test
  void stopAbandonsUnansweredCalls() throws Exception {
    Worker worker = worker();
    worker.answer = null;
    PushClient client = client(worker.address(), LONG);
    client.push(delivery("x", ACTIVATION));
    worker.calls.take();

    client.stop();
    client.stop();

    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNANSWERED);
    client.push(delivery("late", ACTIVATION));
    assertThat(intake.next().outcome()).isEqualTo(PushOutcome.UNREACHABLE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "127.0.0.1:50052",
        "https://w:1",
        "worker",
        "http://",
        "http:///x",
        "http://a:b",
        "http://user@a:1"
      })
  void rejectsOtherAddressForms(String address) {
    URI uri = address.startsWith("127") ? URI.create("x://" + address) : uri(address);

    assertThatThrownBy(() -> client(uri, LONG))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'app'")
        .hasMessageContaining(uri.toString());
  }

  @Test
  void optionsDoNotShowSecretsAndCheckTheTimeout() {
    assertThat(new PushOptions(List.of("hidden"), LONG, 1).toString()).doesNotContain("hidden");
    assertThatThrownBy(() -> new PushOptions(List.of(), Duration.ZERO, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private PushOutcome outcome(RawWorker.Reaction reaction) throws Exception {
    RawWorker worker = RawWorker.reacting(reaction);
    open.add(worker);
    PushClient client = client(worker.address(), LONG);
    client.push(delivery("x", ACTIVATION));
    return intake.next().outcome();
  }

  private static URI uri(String text) {
    return URI.create(text.equals("http://") ? "http:/" : text);
  }

  private Worker worker() throws IOException {
    Worker worker = Worker.start();
    open.add(worker);
    return worker;
  }

  private PushClient client(URI worker, Duration timeout) {
    return client(worker, new PushOptions(List.of(), timeout, 50 << 20));
  }

  private PushClient client(URI worker, PushOptions options) {
    return start(new PushClient(Map.of("app", worker), options, intake, new Metrics()));
  }

  private PushClient start(PushClient client) {
    client.start();
    open.add(client::stop);
    return client;
  }

  private Delivery delivery(String id, byte[] payload) {
    return Deliveries.of(id, "app", payload);
  }
}
