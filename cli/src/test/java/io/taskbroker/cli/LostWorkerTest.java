package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.EnqueueRequest;
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
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The real process is killed while two workers have tasks, and one of them does not come back
/// (H16): its tasks run elsewhere seconds after the start, and the other keeps what it has.
@Timeout(240)
final class LostWorkerTest {
  private static final int SLOTS = 20;
  private static final Duration WAIT_FOR_WORKERS = Duration.ofSeconds(5);

  @TempDir private Path dir;

  @Test
  void h16TasksOfALostWorkerRunElsewhereSoonAfterARestart() throws Exception {
    int port = Ports.free();
    Path store = dir.resolve("store.sqlite");
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            store: {sqlite: {path: "%s"}}
            """
                .formatted(port, store));
    var lost = new Runs();
    var stays = new Runs();
    var next = new Runs();
    BrokerProcess broker =
        BrokerProcess.start(BrokerLaunch.ofThisClassPath(config, port, dir.resolve("log")))
            .awaitServing(Duration.ofSeconds(60));
    try (var other = StreamWorker.start(port, SLOTS, Duration.ZERO, stays)) {
      other.holdResults(); // a task takes longer than a restart
      try (var one = StreamWorker.start(port, SLOTS, Duration.ZERO, lost)) {
        one.holdResults();
        enqueue(port);
        await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> lost.started.size() + stays.started.size() == 2 * SLOTS);
        await().atMost(Duration.ofSeconds(60)).until(() -> written(store) == 2 * SLOTS);
        broker.kill();
      }
      broker = broker.restart().awaitServing(Duration.ofSeconds(60));
      long serving = System.nanoTime();
      await().until(other::isWelcome); // it has named its tasks: a third one does not get them
      try (var _ = StreamWorker.start(port, 2 * SLOTS, Duration.ZERO, next)) {
        await()
            .atMost(WAIT_FOR_WORKERS.plusSeconds(25))
            .untilAsserted(() ->
                assertThat(next.started)
                    .as("%d tasks began at the other worker", stays.started.size())
                    .containsAll(lost.started));
        System.out.printf(
            "%d tasks of a lost worker ran elsewhere %d ms after the start%n",
            lost.started.size(), (System.nanoTime() - serving) / 1_000_000);
        other.releaseResults();
        await().untilAsserted(() -> assertThat(stays.accepted).containsAll(stays.started));
        assertThat(next.started).as("tasks that the lost worker had").isEqualTo(lost.started);
      }
    } finally {
      broker.close();
    }
  }

  /// Rows that say that a worker has the task.
  private static int written(Path store) throws SQLException {
    try (var connection = DriverManager.getConnection("jdbc:sqlite:" + store);
        var statement = connection.createStatement();
        var result =
            statement.executeQuery("SELECT count(*) FROM activation WHERE status = 'Processing'")) {
      result.next();
      return result.getInt(1);
    }
  }

  private static void enqueue(int port) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      EnqueueRequest.Builder tasks = EnqueueRequest.newBuilder();
      for (int i = 0; i < 2 * SLOTS; i++) {
        tasks.addTasks(NewTask.newBuilder().setTask(Task.newBuilder().setName("long")));
      }
      var _ = TaskServiceGrpc.newBlockingStub(channel).withWaitForReady().enqueue(tasks.build());
    } finally {
      channel.shutdownNow();
    }
  }

  private static final class Runs implements StreamWorker.Listener {
    final Set<String> started = ConcurrentHashMap.newKeySet();
    final Set<String> accepted = ConcurrentHashMap.newKeySet();

    @Override
    public void started(Delivery delivery) {
      started.add(delivery.getTask().getId());
    }

    @Override
    public void answered(Delivery delivery, ResultStatus status) {
      if (status == ResultStatus.RESULT_STATUS_ACCEPTED) {
        accepted.add(delivery.getTask().getId());
      }
    }
  }
}
