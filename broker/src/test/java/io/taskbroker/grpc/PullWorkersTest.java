package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Operators see the connections on which tasks are asked for, and since when they are silent.
@Timeout(240)
final class PullWorkersTest extends ServedTest {
  @Test
  void aConnectionThatAsksForTasksIsSeenUntilItEnds() throws Exception {
    GrpcServer server = serve(false);
    assertThat(server.pullWorkers()).isEmpty();
    var channel = connect(server);
    var worker = ConsumerServiceGrpc.newBlockingStub(channel);
    var asked =
        CompletableFuture.supplyAsync(
            () -> worker.getTask(GetTaskRequest.newBuilder().setApplication("shop").build()));
    ((Command.Claim) intake.next()).reply().done(null);
    assertThat(asked).failsWithin(Duration.ofSeconds(30));

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

  private void report(ConsumerServiceGrpc.ConsumerServiceBlockingStub worker) throws Exception {
    var reported =
        CompletableFuture.supplyAsync(() ->
            worker.setTaskStatus(
                SetTaskStatusRequest.newBuilder()
                    .setId("x")
                    .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
                    .build()));
    ((Command.Report) intake.next()).reply().done(null);
    assertThat(reported).succeedsWithin(Duration.ofSeconds(30));
  }

  @Test
  void aConnectionThatOnlyReportsIsNoPullWorker() throws Exception {
    GrpcServer server = serve(true);
    var worker = ConsumerServiceGrpc.newBlockingStub(connect(server));
    report(worker);
    assertThat(server.pullWorkers()).isEmpty();
  }
}
