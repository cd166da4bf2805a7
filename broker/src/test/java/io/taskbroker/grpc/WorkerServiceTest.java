package io.taskbroker.grpc;

import static io.taskbroker.grpc.StreamDeliveries.EPOCH;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Status;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// `WorkerService` over a real connection: messages become commands, and what the engine says
/// reaches the worker.
final class WorkerServiceTest extends ServedTest {

  private final Worker worker = new Worker();
  private final GrpcServer server = serve(false);
  private final StreamObserver<WorkerMessage> stream =
      WorkerServiceGrpc.newStub(connect(server)).work(worker);

  @Test
  void aDeliveryIsTheTaskAsItIsAndItsToken() throws Exception {
    Command.WorkerOpened opened = open(3);
    assertThat(opened.application()).isEqualTo("shop");
    assertThat(opened.namespaces()).containsExactly("post");
    assertThat(opened.slots()).isEqualTo(3);
    opened.session().deliver(delivery("a", 7));
    io.taskbroker.protocol.v1.Delivery delivered = worker.next().getDeliveries().getDeliveries(0);
    assertThat(delivered.getTask()).isEqualTo(task("a"));
    assertThat(delivered.getToken().getEpoch()).isEqualTo(EPOCH.value());
    assertThat(delivered.getToken().getNumber()).isEqualTo(7);
  }

  @Test
  void aWorkerIsDescribedAsItSaysAndByWhenItWasHeard() throws Exception {
    Command.WorkerOpened opened = open(3);
    var first = opened.session().description();
    assertThat(first.name()).isEqualTo("pod-7");
    assertThat(first.version()).isEqualTo("test/1");
    assertThat(first.address()).startsWith("127.0.0.1:");
    assertThat(first.heardAt()).isGreaterThanOrEqualTo(first.openedAt());
    await()
        .until(() -> {
          stream.onNext(
              WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(2)).build());
          return opened.session().description().heardAt() > first.heardAt();
        });
  }

  @Test
  void resultsAreAnsweredWithTheirStatuses() throws Exception {
    open(3);
    stream.onNext(
        WorkerMessage.newBuilder()
            .setResults(
                Results.newBuilder()
                    .setNumber(5)
                    .addResults(
                        Result.newBuilder()
                            .setId("a")
                            .setToken(token(7))
                            .setCompleted(Completed.getDefaultInstance()))
                    .addResults(
                        Result.newBuilder()
                            .setId("b")
                            .setFailed(Failed.newBuilder().setFinal(true).setMessage("no"))))
            .build());
    Command.Results results = (Command.Results) intake.next();
    assertThat(results.results())
        .containsExactly(
            new Command.Result(
                "a", new AttemptToken(EPOCH.value(), 7), new Command.Outcome.Completed()),
            new Command.Result(
                "b", new AttemptToken(0, 0), new Command.Outcome.Failed("no", true, -1, -1)));
    results.reply().done(List.of(ResultStatus.ACCEPTED, ResultStatus.STALE));
    var ack = worker.next().getResultsAck();
    assertThat(ack.getNumber()).isEqualTo(5);
    assertThat(ack.getStatusesList())
        .containsExactly(
            io.taskbroker.protocol.v1.ResultStatus.RESULT_STATUS_ACCEPTED,
            io.taskbroker.protocol.v1.ResultStatus.RESULT_STATUS_STALE);
  }

  @Test
  void aStreamBeginsWithHelloOnce() throws Exception {
    var server = serve(false);
    StreamObserver<WorkerMessage> hasty = WorkerServiceGrpc.newStub(connect(server)).work(worker);
    hasty.onNext(WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(1)).build());
    assertThat(worker.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    open(1);
    stream.onNext(hello(1));
    assertThat(worker.end()).isEqualTo(Status.Code.INVALID_ARGUMENT);
  }

  @Test
  void anEndedStreamIsReported() throws Exception {
    open(1);
    stream.onCompleted();
    assertThat(worker.end()).isEqualTo(Status.Code.OK);
    assertThat(intake.nextCommand())
        .isInstanceOfSatisfying(
            Command.WorkerClosed.class, closed -> assertThat(closed.silent()).isFalse());
  }

  @Test
  void aWorkerWithTasksThatIsSilentForItsLeaseIsDead() throws Exception {
    Command.WorkerOpened opened = open(1);
    opened.session().holds(1);
    opened.session().deliver(delivery("a", 1));
    assertThat(worker.next().hasDeliveries()).isTrue();
    assertThat(worker.end()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(intake.nextCommand())
        .isInstanceOfSatisfying(
            Command.WorkerClosed.class, closed -> assertThat(closed.silent()).isTrue());
  }

  @Test
  void resultsOfAnEarlierStreamDoNotEndTheLease() throws Exception {
    Command.WorkerOpened opened = open(1);
    opened.session().holds(1);
    opened.session().deliver(delivery("a", 2));
    assertThat(worker.next().hasDeliveries()).isTrue();
    stream.onNext(
        WorkerMessage.newBuilder()
            .setResults(
                Results.newBuilder()
                    .setNumber(1)
                    .addResults(
                        Result.newBuilder()
                            .setId("earlier")
                            .setToken(token(1))
                            .setCompleted(Completed.getDefaultInstance())))
            .build());
    assertThat(worker.end()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }

  @Test
  void helloIsNotOvertaken() {
    stream.onNext(hello(1));
    stream.onNext(WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(0)).build());
    assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerOpened.class);
    assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerSlots.class);
  }

  @Test
  void aHeartbeatNamesTasks() throws Exception {
    open(1);
    stream.onNext(
        WorkerMessage.newBuilder()
            .setHeartbeat(
                Heartbeat.newBuilder()
                    .addTasks(
                        io.taskbroker.protocol.v1.TaskHeartbeat.newBuilder()
                            .setId("a")
                            .setToken(token(3))))
            .build());
    assertThat(((Command.WorkerHeartbeat) intake.nextCommand()).tasks())
        .containsExactly(new Command.TaskHeartbeat("a", new AttemptToken(EPOCH.value(), 3)));
  }

  @Test
  void textForPeopleIsCutAtItsBoundInBytes() throws Exception {
    open(1);
    String message = "é".repeat(WorkerCall.MAX_FAILURE_BYTES / 2);
    stream.onNext(
        WorkerMessage.newBuilder()
            .setResults(
                Results.newBuilder()
                    .addResults(Result.newBuilder().setId("a").setFailed(failed(message)))
                    .addResults(
                        Result.newBuilder().setId("b").setFailed(failed("x" + message + "more"))))
            .build());
    assertThat(((Command.Results) intake.next()).results())
        .extracting(each -> ((Command.Outcome.Failed) each.outcome()).message())
        .containsExactly(message, "x" + message.substring(1));
    stream.onNext(
        WorkerMessage.newBuilder()
            .setHeartbeat(
                Heartbeat.newBuilder()
                    .addTasks(
                        io.taskbroker.protocol.v1.TaskHeartbeat.newBuilder()
                            .setId("a")
                            .setProgress("x".repeat(WorkerCall.MAX_PROGRESS_BYTES + 1))))
            .build());
    assertThat(((Command.WorkerHeartbeat) intake.nextCommand()).tasks().getFirst().progress())
        .isEqualTo("x".repeat(WorkerCall.MAX_PROGRESS_BYTES));
  }

  private static Failed.Builder failed(String message) {
    return Failed.newBuilder().setMessage(message);
  }

  @Test
  void g7AWorkerThatDoesNotReadIsSentNoMoreThanALittle() throws Exception {
    worker.reads = false;
    Command.WorkerOpened opened = open(10_000);
    byte[] large =
        task("large").toBuilder()
            .setArguments(com.google.protobuf.ByteString.copyFrom(new byte[100_000]))
            .build()
            .toByteArray();
    int sent = 0;
    while (opened.session().mayReceive()) {
      opened.session().deliver(StreamDeliveries.of("t" + sent, sent, large));
      assertThat(++sent).isLessThan(100);
    }
    worker.reads = true;
    worker.readOn();
    for (int i = 0; i < sent; ) {
      i += worker.next().getDeliveries().getDeliveriesCount();
    }
    assertThat(intake.nextCommand()).isInstanceOf(Command.WorkerSlots.class);
    assertThat(opened.session().mayReceive()).isTrue();
  }

  @Test
  void aStoppingServerDrainsItsWorkers() throws Exception {
    open(1);
    server.stop();
    assertThat(worker.next().hasDrain()).isTrue();
    assertThat(worker.end()).isEqualTo(Status.Code.OK);
  }

  private Command.WorkerOpened open(int slots) throws InterruptedException {
    stream.onNext(hello(slots));
    assertThat(worker.next().getWelcome().getLease().getSeconds()).isEqualTo(3);
    return (Command.WorkerOpened) intake.nextCommand();
  }

  private static WorkerMessage hello(int slots) {
    return WorkerMessage.newBuilder()
        .setHello(
            Hello.newBuilder()
                .setApplication("shop")
                .addNamespaces("post")
                .setWorker("pod-7")
                .setVersion("test/1")
                .setSlots(slots))
        .build();
  }

  private static io.taskbroker.protocol.v1.AttemptToken token(long number) {
    return io.taskbroker.protocol.v1.AttemptToken.newBuilder()
        .setEpoch(EPOCH.value())
        .setNumber(number)
        .build();
  }

  private static Task task(String id) {
    return Task.newBuilder().setId(id).setName("mail").build();
  }

  private static Delivery delivery(String id, long number) {
    return StreamDeliveries.of(id, number, task(id).toByteArray());
  }

  /// Worker that records what it is sent.
  private static final class Worker
      implements ClientResponseObserver<WorkerMessage, BrokerMessage> {
    private final BlockingQueue<Object> received = new LinkedBlockingQueue<>();
    private @Nullable ClientCallStreamObserver<WorkerMessage> call;
    volatile boolean reads = true;

    @Override
    public void beforeStart(ClientCallStreamObserver<WorkerMessage> observer) {
      call = observer;
      observer.disableAutoRequestWithInitial(1);
    }

    void readOn() {
      Objects.requireNonNull(call).request(1);
    }

    @Override
    public void onNext(BrokerMessage message) {
      received.add(message);
      if (reads) {
        readOn();
      }
    }

    @Override
    public void onError(Throwable error) {
      received.add(Status.fromThrowable(error));
    }

    @Override
    public void onCompleted() {
      received.add(Status.OK);
    }

    BrokerMessage next() throws InterruptedException {
      return (BrokerMessage) received.poll(60, SECONDS);
    }

    Status.Code end() throws InterruptedException {
      return ((Status) received.poll(60, SECONDS)).getCode();
    }
  }
}
