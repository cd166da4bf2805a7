package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.netty.channel.embedded.EmbeddedChannel;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The lease of a worker, by a clock that the test moves: a worker may be silent for as long as it
/// has no tasks, and from then on for its lease.
final class WorkerLeaseTest implements CommandSink {
  private static final long LEASE = RunningCalls.LEASE.toMillis();
  private static final MethodDescriptor<byte[], byte[]> METHOD =
      MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
          .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
          .setFullMethodName(WorkerService.NAME + "/Work")
          .build();

  private final EmbeddedChannel loop = new EmbeddedChannel();
  private long nanos;
  private final Connection connection =
      TestConnections.on(new RunningCalls(loop.eventLoop(), Duration.ofDays(1), () -> nanos));
  private final RecordedCall call = new RecordedCall(METHOD, connection);
  private final WorkerCall worker =
      new WorkerCall(
          call,
          connection,
          this,
          InstantSource.system(),
          new WorkerOptions(
              "broker", 4 << 20, Duration.ofSeconds(2), new WorkerOptions.Counts(new Metrics())));
  private @Nullable WorkerSession session;
  private int resumed;

  @BeforeEach
  void open() {
    loop.freezeTime();
    assertThat(connection.admit(call)).isTrue();
    worker.open();
    send(message().setHello(Hello.newBuilder().setSlots(1)));
  }

  @Test
  void workerThatWasIdleHasItsWholeLeaseForTheNextTask() {
    deliver(1);
    complete(1);
    pass(LEASE - 100);
    deliver(2);
    pass(LEASE - 100);
    assertThat(call.closed).isEmpty();
    complete(2);
    pass(10 * LEASE);
    assertThat(call.closed).as("without tasks").isEmpty();
  }

  @Test
  void workerThatWasIdleIsDeadAfterItsLease() {
    deliver(1);
    complete(1);
    pass(LEASE - 100);
    deliver(2);
    pass(LEASE);
    assertDead();
  }

  @Test
  void workerThatOnlyCameBackWithTasksIsDeadAfterItsLease() {
    resumed = 1;
    send(message().setHeartbeat(Heartbeat.newBuilder().addTasks(TaskHeartbeat.newBuilder())));
    pass(LEASE - 100);
    assertThat(call.closed).isEmpty();
    pass(100);
    assertDead();
  }

  @Test
  void nextTaskDoesNotExtendTheLeaseOfOneThatTheWorkerHas() {
    deliver(1);
    pass(LEASE - 100);
    session().holds(2);
    session().deliver(delivery(2));
    pass(100);
    assertDead();
  }

  private void assertDead() {
    assertThat(call.closed)
        .extracting(Status::getCode)
        .containsExactly(Status.Code.DEADLINE_EXCEEDED);
  }

  private WorkerSession session() {
    return Objects.requireNonNull(session);
  }

  private void deliver(long number) {
    session().holds(1);
    session().deliver(delivery(number));
    loop.runPendingTasks();
  }

  private void complete(long number) {
    send(
        message()
            .setResults(
                Results.newBuilder()
                    .setNumber(number)
                    .addResults(
                        Result.newBuilder()
                            .setId("t")
                            .setCompleted(Completed.getDefaultInstance()))));
  }

  private static WorkerMessage.Builder message() {
    return WorkerMessage.newBuilder();
  }

  private void send(WorkerMessage.Builder message) {
    worker.onMessage(message.build().toByteArray());
    loop.runPendingTasks();
  }

  private void pass(long millis) {
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    loop.advanceTimeBy(millis, TimeUnit.MILLISECONDS);
    loop.runPendingTasks();
  }

  private static Delivery delivery(long number) {
    return StreamDeliveries.of("t", number, new byte[0]);
  }

  /// The engine: takes the result of the only task.
  @Override
  public void request(Command.Request request) {
    if (request instanceof Command.Results results) {
      session().holds(0);
      results.reply().done(List.of(ResultStatus.ACCEPTED));
    }
  }

  @Override
  public void submit(Command command) {
    switch (command) {
      case Command.WorkerOpened opened -> {
        session = opened.session();
        opened.session().handled();
      }
      case Command.WorkerHeartbeat heartbeat -> {
        heartbeat.session().holds(resumed);
        heartbeat.session().handled();
      }
      default -> {}
    }
  }
}
