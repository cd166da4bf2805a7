package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.ResultStatus;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.StreamWorker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// More tasks than the heap has room for the ids of are enqueued directly, and nobody runs them:
/// the broker refuses the rest, and starts again with what it has (G7).
@Timeout(240)
final class EnqueueFloodTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int BATCH = 1_000;
  private static final int MOST = 400_000;

  /// A quarter of a heap of 48 MB, at 64 bytes each.
  private static final int ROOM = 48 * 1024 * 1024 / 4 / 64;

  @TempDir private Path dir;

  @Test
  void g7AFloodIsRefusedBeforeItFillsTheHeap() throws Exception {
    int port = Ports.free();
    int accepted;
    try (BrokerProcess broker = start(port, "-Xmx48m").awaitServing(PATIENCE)) {
      accepted = flood(port);
      assertThat(accepted).isBetween(ROOM * 9 / 10, ROOM + 5_000);
      assertThat(broker.isAlive()).isTrue();
    } // killed

    var runs = new Runs();
    try (BrokerProcess broker = start(port, "-Xmx48m").awaitServing(PATIENCE);
        var _ = StreamWorker.start(port, 100, Duration.ofMillis(1), runs)) {
      await().atMost(PATIENCE).until(() -> runs.ended.get() > 5_000);
      assertThat(broker.stop(PATIENCE)).isZero();
    }

    try (BrokerProcess broker = start(port, "-Xmx20m")) {
      await().atMost(PATIENCE).until(() -> !broker.isAlive());
      assertThat(broker.exitCode()).hasValue(1);
      List<String> lines = Files.readAllLines(dir.resolve("log"), UTF_8);
      assertThat(lines)
          .anySatisfy(line ->
              assertThat(line)
                  .contains("is too small for what the store holds")
                  .contains("start with a larger one"));
    }
  }

  private BrokerProcess start(int port, String heap) throws Exception {
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            metrics_addr: 127.0.0.1:0
            store: {sqlite: {path: "%s"}}
            """
                .formatted(port, dir.resolve("store.sqlite")),
            UTF_8);
    return BrokerProcess.start(
        BrokerLaunch.ofThisClassPath(config, port, dir.resolve("log")).withJvmOptions(heap));
  }

  /// Enqueues until a task is refused; returns how many were accepted.
  private static int flood(int port) {
    EnqueueRequest.Builder request = EnqueueRequest.newBuilder();
    for (int i = 0; i < BATCH; i++) {
      request.addTasks(NewTask.newBuilder().setTask(Task.newBuilder().setName("t")));
    }
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      int accepted = 0;
      for (int sent = 0; sent < MOST; sent += BATCH) {
        var response =
            TaskServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .enqueue(request.build());
        long here =
            response.getResultsList().stream()
                .filter(result -> result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_ACCEPTED)
                .count();
        accepted += (int) here;
        if (here < BATCH) {
          break;
        }
      }
      return accepted;
    } finally {
      channel.shutdownNow();
    }
  }

  private static final class Runs implements StreamWorker.Listener {
    private final AtomicInteger ended = new AtomicInteger();

    @Override
    public void started(Delivery delivery) {}

    @Override
    public void answered(Delivery delivery, ResultStatus status) {
      ended.incrementAndGet();
    }
  }
}
