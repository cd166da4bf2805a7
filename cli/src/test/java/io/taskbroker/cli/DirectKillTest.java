package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueStatus;
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
import java.time.Duration;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.function.BinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The real process without Kafka, killed under load (G1, G2, G3): tasks are enqueued directly, and
/// each enqueue that failed is repeated; workers open streams and connect again.
///
/// Every task that the broker accepted runs, an at-most-once task once at most, and no task runs
/// after the broker acknowledged its result. No result is accepted of a delivery that was
/// superseded. `-Ddirect.kills=20 -Ddirect.tasks=6000` kills it twenty times.
final class DirectKillTest {
  private static final int TASKS = Integer.getInteger("direct.tasks", 2_000);
  private static final int KILLS = Integer.getInteger("direct.kills", 2);
  private static final int BATCH = 100;
  private static final Duration RUN_TIME = Duration.ofMillis(50);
  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration LIMIT = Duration.ofSeconds(240 + 60L * KILLS);
  private static final Comparator<AttemptToken> BY_AGE =
      Comparator.comparingLong(AttemptToken::getEpoch).thenComparingLong(AttemptToken::getNumber);

  private final long seed = System.nanoTime();
  private final Random random = new Random(seed);
  private final AtomicIntegerArray starts = new AtomicIntegerArray(TASKS);
  private final AtomicIntegerArray ended = new AtomicIntegerArray(TASKS);
  private final AtomicInteger existing = new AtomicInteger();
  private final AtomicInteger endedTasks = new AtomicInteger();
  private final AtomicInteger again = new AtomicInteger();
  private final AtomicInteger staleAccepted = new AtomicInteger();
  private final Map<Integer, AttemptToken> last = new HashMap<>();
  private final BitSet completed = new BitSet(TASKS);

  @TempDir private Path dir;

  @Test
  void g1g2g3NothingIsLostOrDoneTwiceOnSqlite() throws Exception {
    run("store: {sqlite: {path: \"%s\"}}".formatted(dir.resolve("store.sqlite")));
  }

  @Test
  void g1g2g3NothingIsLostOrDoneTwiceOnPostgres() throws Exception {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    run(
        """
        store:
          adapter: postgres
          pg: {host: %s, port: %d, username: %s, password: %s, database_name: %s, run_migrations: true}
        """
            .formatted(
                database.host(),
                database.port(),
                database.username(),
                database.password(),
                database.name()));
  }

  private void run(String store) {
    assertTimeoutPreemptively(LIMIT, () -> runWithin(store), () -> "seed " + seed);
  }

  private void runWithin(String store) throws Exception {
    long began = System.nanoTime();
    int port = Ports.free();
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            %s
            """
                .formatted(port, store));
    BrokerProcess broker =
        BrokerProcess.start(BrokerLaunch.ofThisClassPath(config, port, dir.resolve("log")))
            .awaitServing(PATIENCE);
    try (var one = StreamWorker.start(port, 200, RUN_TIME, new Runs());
        var other = StreamWorker.start(port, 200, RUN_TIME, new Runs())) {
      var enqueuer = Thread.ofPlatform().start(() -> enqueue(port));
      for (int kill = 1; kill <= KILLS; kill++) {
        // Never more than those that must run: some at-most-once tasks do not.
        int share = TASKS / (KILLS + 2);
        awaitEnded(share * kill + random.nextInt(share / 2));
        broker.kill();
        broker = broker.restart().awaitServing(PATIENCE);
      }
      enqueuer.join();
      await().alias("every task has run, seed " + seed).atMost(PATIENCE).until(this::isOver);
      assertThat(one).isNotSameAs(other);
    } finally {
      broker.close();
    }
    assertRuns(Duration.ofNanos(System.nanoTime() - began));
  }

  private void awaitEnded(int count) {
    await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(20))
        .until(() -> endedTasks.get() >= count);
  }

  private boolean isOver() {
    for (int task = 0; task < TASKS; task++) {
      if (ended.get(task) == 0 && !isAtMostOnce(task)) {
        return false;
      }
    }
    return true;
  }

  private void assertRuns(Duration took) {
    int repeated = 0;
    int lost = 0;
    for (int task = 0; task < TASKS; task++) {
      if (isAtMostOnce(task)) {
        assertThat(starts.get(task)).as("runs of at-most-once task %d", task).isLessThan(2);
        lost += starts.get(task) == 0 ? 1 : 0;
      }
      repeated += Math.max(0, starts.get(task) - 1);
    }
    assertThat(again).as("runs of tasks that were completed before, seed %d", seed).hasValue(0);
    assertThat(staleAccepted).as("stale results that were accepted, seed %d", seed).hasValue(0);
    System.out.printf(
        "%d tasks, %d kills in %d s: 0 lost, %d existed when their enqueue was repeated, %d runs"
            + " repeated, %d after the result was acknowledged, %d stale results accepted, %d"
            + " at-most-once tasks did not run (seed %d)%n",
        TASKS,
        KILLS,
        took.toSeconds(),
        existing.get(),
        repeated,
        again.get(),
        staleAccepted.get(),
        lost,
        seed);
  }

  private static boolean isAtMostOnce(int task) {
    return task % 20 == 7;
  }

  private void enqueue(int port) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      for (int first = 0; first < TASKS; first += BATCH) {
        EnqueueRequest.Builder batch = EnqueueRequest.newBuilder();
        for (int task = first; task < Math.min(TASKS, first + BATCH); task++) {
          batch.addTasks(
              NewTask.newBuilder()
                  .setTask(
                      Task.newBuilder()
                          .setId("task-" + task)
                          .setName("sleep")
                          .setRetry(RetryPolicy.newBuilder().setAtMostOnce(isAtMostOnce(task)))));
        }
        enqueue(channel, batch.build());
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private void enqueue(ManagedChannel channel, EnqueueRequest batch) {
    while (true) {
      try {
        EnqueueResponse response =
            TaskServiceGrpc.newBlockingStub(channel)
                .withWaitForReady()
                .withDeadlineAfter(5, TimeUnit.SECONDS)
                .enqueue(batch);
        response
            .getResultsList()
            .forEach(result -> {
              assertThat(result.getStatus()).isNotEqualTo(EnqueueStatus.ENQUEUE_STATUS_REJECTED);
              if (result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_ALREADY_EXISTS) {
                existing.incrementAndGet();
              }
            });
        return;
      } catch (StatusRuntimeException _) {
        // Nothing is known of the batch: again.
      }
    }
  }

  private final class Runs implements StreamWorker.Listener {
    @Override
    public void started(Delivery delivery) {
      int task = Integer.parseInt(delivery.getTask().getId().substring("task-".length()));
      starts.incrementAndGet(task);
      synchronized (completed) {
        last.merge(task, delivery.getToken(), BinaryOperator.maxBy(BY_AGE));
        if (completed.get(task)) {
          again.incrementAndGet();
        }
      }
    }

    @Override
    public void answered(Delivery delivery, ResultStatus status) {
      int task = Integer.parseInt(delivery.getTask().getId().substring("task-".length()));
      if (status == ResultStatus.RESULT_STATUS_ACCEPTED) {
        synchronized (completed) {
          completed.set(task);
          if (!delivery.getToken().equals(last.get(task))) {
            staleAccepted.incrementAndGet();
          }
        }
      }
      if (status != ResultStatus.RESULT_STATUS_STALE) {
        // Unknown: the answer to the first result was lost with the broker.
        if (ended.compareAndSet(task, 0, 1)) {
          endedTasks.incrementAndGet();
        }
      }
    }
  }
}
