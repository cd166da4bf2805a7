package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Operators see the connections on which tasks are asked for, and since when they are silent.
@Timeout(60)
final class PullWorkersTest extends ServedTest {
  @Test
  void aConnectionThatAsksForTasksIsSeenUntilItEnds() throws Exception {
    GrpcServer server = serve(false);
    assertThat(server.pullWorkers()).isEmpty();
    var channel = connect(server);
    var worker = ConsumerServiceGrpc.newFutureStub(channel);
    var asked = worker.getTask(GetTaskRequest.newBuilder().setApplication("shop").build());
    ((Command.Claim) intake.next()).reply().done(null);
    assertThat(asked).failsWithin(java.time.Duration.ofSeconds(30));

    PullWorker seen = server.pullWorkers().getFirst();
    assertThat(seen.address()).startsWith("127.0.0.1:");
    assertThat(seen.application()).contains("shop");
    assertThat(seen.sinceAsked()).isLessThanOrEqualTo(seen.open());
    assertThat(seen.sinceReported()).isEmpty();

    report(worker);
    assertThat(server.pullWorkers().getFirst().sinceReported()).isPresent();

    channel.shutdownNow();
    await().until(() -> server.pullWorkers().isEmpty());
  }

  private void report(ConsumerServiceGrpc.ConsumerServiceFutureStub worker) throws Exception {
    var reported =
        worker.setTaskStatus(
            SetTaskStatusRequest.newBuilder()
                .setId("x")
                .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
                .build());
    ((Command.Report) intake.next()).reply().done(null);
    assertThat(reported).succeedsWithin(java.time.Duration.ofSeconds(30));
  }

  @Test
  void aConnectionThatOnlyReportsIsNoPullWorker() throws Exception {
    GrpcServer server = serve(true);
    var worker = ConsumerServiceGrpc.newFutureStub(connect(server));
    report(worker);
    assertThat(server.pullWorkers()).isEmpty();
  }
}
