package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.protocol.v1.AwaitRequest;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.CancelRequest;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.ExplainRequest;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.GetRequest;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.ListSchedulesRequest;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.protocol.v1.WorkerServiceGrpc;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Text with U+0000, which Postgres cannot hold, from clients and workers: it is unknown, invalid
/// or kept, and never ends the broker (H12, G8).
@Timeout(240)
@SuppressWarnings("NullAway.Init") // by the start
final class UnstorableTextTest {
  private static final String TEXT = "a\0b";

  private EmbeddedBroker broker;
  private ManagedChannel channel;

  @BeforeEach
  void start() {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    int port = Ports.free();
    broker =
        EmbeddedBroker.start(
            Map.ofEntries(
                Map.entry("TASKBROKER_KAFKA_ENABLED", "false"),
                Map.entry("TASKBROKER_GRPC_ADDR", "127.0.0.1"),
                Map.entry("TASKBROKER_GRPC_PORT", Integer.toString(port)),
                Map.entry("TASKBROKER_METRICS_ADDR", "127.0.0.1:0"),
                Map.entry("TASKBROKER_STORE__ADAPTER", "postgres"),
                Map.entry("TASKBROKER_STORE__PG__HOST", database.host()),
                Map.entry("TASKBROKER_STORE__PG__PORT", Integer.toString(database.port())),
                Map.entry("TASKBROKER_STORE__PG__USERNAME", database.username()),
                Map.entry("TASKBROKER_STORE__PG__PASSWORD", database.password()),
                Map.entry("TASKBROKER_STORE__PG__DATABASE_NAME", database.name()),
                Map.entry("TASKBROKER_STORE__PG__RUN_MIGRATIONS", "true")));
    channel = NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }

  @AfterEach
  void stop() {
    channel.shutdownNow();
    broker.close();
  }

  @Test
  void h12IdsThatNoTaskCanHaveAreUnknown() {
    var tasks = TaskServiceGrpc.newBlockingStub(channel);
    assertFails(
        Status.Code.NOT_FOUND, () -> tasks.get(GetRequest.newBuilder().setId(TEXT).build()));
    assertFails(
        Status.Code.NOT_FOUND, () -> tasks.cancel(CancelRequest.newBuilder().setId(TEXT).build()));
    assertFails(
        Status.Code.NOT_FOUND, () -> tasks.await(AwaitRequest.newBuilder().setId(TEXT).build()));
    assertFails(
        Status.Code.NOT_FOUND,
        () -> tasks.explain(ExplainRequest.newBuilder().setId(TEXT).build()));
    var report =
        SetTaskStatusRequest.newBuilder()
            .setId(TEXT)
            .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
            .build();
    assertThat(ConsumerServiceGrpc.newBlockingStub(channel).setTaskStatus(report)).isNotNull();
    assertThat(broker.failure()).isEmpty();
  }

  @Test
  void namesThatNoScheduleCanHaveAreInvalid() {
    var schedules = ScheduleServiceGrpc.newBlockingStub(channel);
    assertFails(
        Status.Code.INVALID_ARGUMENT,
        () -> schedules.get(GetScheduleRequest.newBuilder().setName(TEXT).build()));
    assertFails(
        Status.Code.INVALID_ARGUMENT,
        () -> schedules.list(ListSchedulesRequest.newBuilder().setAfter(TEXT).build()));
    assertThat(broker.failure()).isEmpty();
  }

  @Test
  void whatAWorkerSaysIsKept() {
    var tasks = TaskServiceGrpc.newBlockingStub(channel);
    var worker = WorkerServiceGrpc.newStub(channel);
    var failing = new Failing();
    failing.stream = worker.work(failing);
    failing.stream.onNext(
        WorkerMessage.newBuilder()
            .setHello(Hello.newBuilder().setSlots(1).setWorker(TEXT).setVersion(TEXT))
            .build());
    NewTask task =
        NewTask.newBuilder()
            .setTask(Task.newBuilder().setId("x").setName("t"))
            .setKeepResult(true)
            .build();
    assertThat(tasks.enqueue(EnqueueRequest.newBuilder().addTasks(task).build()).getResultsCount())
        .isOne();
    AwaitRequest wait = AwaitRequest.newBuilder().setId("x").build();
    assertThat(tasks.await(wait).getOutcome().getMessage()).isEqualTo(TEXT);
    assertThat(tasks.await(wait).getOutcome().getMessage()).as("as stored").isEqualTo(TEXT);
    assertThat(broker.failure()).isEmpty();
  }

  /// Worker that fails each task for good.
  private static final class Failing implements StreamObserver<BrokerMessage> {
    private volatile StreamObserver<WorkerMessage> stream;

    @Override
    public void onNext(BrokerMessage message) {
      message
          .getDeliveries()
          .getDeliveriesList()
          .forEach(delivery ->
              stream.onNext(
                  WorkerMessage.newBuilder()
                      .setResults(
                          Results.newBuilder()
                              .setNumber(1)
                              .addResults(
                                  Result.newBuilder()
                                      .setId(delivery.getTask().getId())
                                      .setToken(delivery.getToken())
                                      .setFailed(
                                          Failed.newBuilder().setMessage(TEXT).setFinal(true))))
                      .build()));
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {}
  }

  private static void assertFails(Status.Code code, ThrowingCallable call) {
    StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class, call);
    assertThat(failure).isNotNull();
    assertThat(failure.getStatus().getCode()).isEqualTo(code);
  }
}
