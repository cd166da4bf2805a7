package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.ResultStatus;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.TaskServiceGrpc;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.StreamWorker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Two processes without Kafka on one Postgres, of which one is killed and does not come back (G1,
/// G2, G3): the other takes over the tasks that were enqueued there, also those that wait on disk.
@Timeout(240)
final class DirectTakeoverTest {
  private static final int TASKS = 600;
  private static final int SLOTS = 20;
  private static final int DELAY_SECONDS = 5;

  private final Map<String, AtomicInteger> starts = new ConcurrentHashMap<>();
  private final Map<String, ResultStatus> completed = new ConcurrentHashMap<>();
  private final AtomicInteger again = new AtomicInteger();

  @TempDir private Path dir;

  @Test
  void g1g2g3TasksOfABrokerThatDoesNotComeBackRunElsewhere() throws Exception {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    int diesPort = Ports.free();
    BrokerProcess dies = start(database, diesPort);
    int staysPort = Ports.free();
    BrokerProcess stays = start(database, staysPort);
    try (dies;
        stays) {
      enqueue(diesPort, "dies");
      enqueue(staysPort, "stays");
      try (var one = StreamWorker.start(diesPort, SLOTS, Duration.ofMillis(50), new Runs());
          var other = StreamWorker.start(staysPort, SLOTS, Duration.ofMillis(50), new Runs())) {
        await().atMost(Duration.ofSeconds(60)).until(() -> completed.size() > TASKS / 3);
        dies.kill();
        Set<String> left = stored(database);
        await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(() -> {
              assertThat(unfinished(left)).isEmpty();
              // All but those of a worker that a busy machine made silent for its lease.
              assertThat(completed.keySet())
                  .filteredOn(id -> id.startsWith("stays") && isAtMostOnce(id))
                  .hasSizeGreaterThanOrEqualTo(TASKS / 10 - SLOTS);
            });
        assertThat(one).isNotSameAs(other);
      }
    }
    starts.forEach((id, runs) -> {
      if (isAtMostOnce(id)) {
        assertThat(runs.get()).as("runs of %s", id).isEqualTo(1);
      }
    });
    assertThat(again).as("runs of tasks that were completed before").hasValue(0);
  }

  private BrokerProcess start(PostgresServer.Database database, int port) throws Exception {
    Path config =
        Files.writeString(
            dir.resolve(port + ".yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            store:
              adapter: postgres
              max_pending_count: 100
              max_delay_count: 20
              contention_drain_age_sec: 1
              pg: {host: %s, port: %d, username: %s, password: %s, database_name: %s, run_migrations: true}
            """
                .formatted(
                    port,
                    database.host(),
                    database.port(),
                    database.username(),
                    database.password(),
                    database.name()));
    return BrokerProcess.start(BrokerLaunch.ofThisClassPath(config, port, dir.resolve(port + "")))
        .awaitServing(Duration.ofSeconds(60));
  }

  /// Ids of the tasks in the store, after the commits that are being made: the server makes one to
  /// its end whose broker was killed meanwhile, and nobody tells the worker.
  private static Set<String> stored(PostgresServer.Database database) throws SQLException {
    try (var connection = database.connect();
        var statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("LOCK TABLE inflight_taskactivations IN SHARE MODE");
      Set<String> ids = new HashSet<>();
      try (var rows = statement.executeQuery("SELECT id FROM inflight_taskactivations")) {
        while (rows.next()) {
          ids.add(rows.getString(1));
        }
      }
      return ids;
    }
  }

  /// Tasks without a result that must have one. An at-most-once task ends without one if its broker
  /// died or its worker was silent.
  ///
  /// @param left those of the killed broker that it had not completed
  private Set<String> unfinished(Set<String> left) {
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < TASKS; i++) {
      ids.add("stays-" + i);
      String id = "dies-" + i;
      if (left.contains(id)) {
        ids.add(id);
      }
    }
    ids.removeIf(DirectTakeoverTest::isAtMostOnce);
    ids.removeAll(completed.keySet());
    return ids;
  }

  private static boolean isAtMostOnce(String id) {
    return id.endsWith("7");
  }

  private static void enqueue(int port, String name) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      for (int first = 0; first < TASKS; first += 50) {
        EnqueueRequest.Builder batch = EnqueueRequest.newBuilder();
        for (int i = first; i < first + 50; i++) {
          String id = name + "-" + i;
          var task =
              Task.newBuilder()
                  .setId(id)
                  .setName("sleep")
                  .setRetry(RetryPolicy.newBuilder().setAtMostOnce(isAtMostOnce(id)));
          if (i % 4 == 0) {
            task.setDelaySeconds(DELAY_SECONDS);
          }
          batch.addTasks(NewTask.newBuilder().setTask(task));
        }
        var _ = TaskServiceGrpc.newBlockingStub(channel).withWaitForReady().enqueue(batch.build());
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private final class Runs implements StreamWorker.Listener {
    @Override
    public void started(Delivery delivery) {
      String id = delivery.getTask().getId();
      starts.computeIfAbsent(id, _ -> new AtomicInteger()).incrementAndGet();
      if (completed.containsKey(id)) {
        again.incrementAndGet();
      }
    }

    @Override
    public void answered(Delivery delivery, ResultStatus status) {
      if (status == ResultStatus.RESULT_STATUS_ACCEPTED) {
        completed.put(delivery.getTask().getId(), status);
      }
    }
  }
}
