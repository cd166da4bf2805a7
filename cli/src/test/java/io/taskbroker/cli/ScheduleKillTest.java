package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Duration;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.GetScheduleRequest;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResultStatus;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc;
import io.taskbroker.protocol.v1.ScheduleServiceGrpc.ScheduleServiceBlockingStub;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.StreamWorker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Real processes are killed around the firings of 1-second schedules: each slot has exactly one
/// task, whichever broker fired it, and whatever its clock says (docs/adr/0040).
@Timeout(240)
final class ScheduleKillTest {
  private static final int SCHEDULES = 3;
  private static final int KILLS = Integer.getInteger("schedule.kills", 3);
  private static final java.time.Duration PATIENCE = java.time.Duration.ofSeconds(60);

  private final Random random = new Random();
  private final Set<String> started = new ConcurrentSkipListSet<>();
  private final Map<String, Integer> completed = new ConcurrentHashMap<>();
  private final List<String> again = new ArrayList<>();

  @TempDir private Path dir;

  @Test
  void everySlotHasOneTaskAlthoughTheBrokerIsKilled() throws Exception {
    int port = Ports.free();
    BrokerProcess broker =
        start("sqlite", port, "store: {sqlite: {path: \"%s\"}}".formatted(dir.resolve("s.sqlite")));
    try (var worker = StreamWorker.start(port, 100, java.time.Duration.ZERO, new Runs())) {
      upsert(port);
      for (int kill = 1; kill <= KILLS; kill++) {
        awaitStarted(2 * SCHEDULES * kill);
        untilAround(1_000 - random.nextInt(40));
        broker.kill();
        broker = broker.restart().awaitServing(PATIENCE);
      }
      awaitStarted(2 * SCHEDULES * (KILLS + 1));
      assertEverySlot(port);
      assertThat(worker).isNotNull();
    } finally {
      broker.close();
    }
  }

  @Test
  void everySlotHasOneTaskAlthoughTwoBrokersDisagreeAboutTheTimeAndOneIsKilled() throws Exception {
    PostgresServer.Database database = PostgresServer.shared().newDatabase();
    String store =
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
                database.name());
    int ahead = Ports.free();
    int behind = Ports.free();
    Path clock = dir.resolve("offset");
    BrokerProcess one = start("ahead", ahead, store, SteppedClock.option(dir, clock));
    SteppedClock.set(clock, java.time.Duration.ofMillis(700));
    BrokerProcess other = start("behind", behind, store);
    try (var first = StreamWorker.start(ahead, 100, java.time.Duration.ZERO, new Runs());
        var second = StreamWorker.start(behind, 100, java.time.Duration.ZERO, new Runs())) {
      upsert(behind);
      awaitStarted(4 * SCHEDULES);
      // As good as the same time: both fire the same slots now.
      SteppedClock.set(clock, java.time.Duration.ofMillis(5));
      awaitStarted(8 * SCHEDULES);
      one.kill();
      awaitStarted(12 * SCHEDULES);
      one = one.restart().awaitServing(PATIENCE);
      awaitStarted(14 * SCHEDULES);
      assertEverySlot(behind);
      assertThat(first).isNotSameAs(second);
    } finally {
      one.close();
      other.close();
    }
  }

  private BrokerProcess start(String name, int port, String store, String... options)
      throws Exception {
    Path config =
        Files.writeString(
            dir.resolve(name + ".yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            upkeep_deadline_reset_skip_after_startup_sec: 3
            %s
            """
                .formatted(port, store));
    return BrokerProcess.start(
            BrokerLaunch.ofThisClassPath(config, port, dir.resolve(name + ".log"))
                .withJvmOptions(options))
        .awaitServing(PATIENCE);
  }

  private static void upsert(int port) {
    for (int i = 0; i < SCHEDULES; i++) {
      Schedule schedule =
          Schedule.newBuilder()
              .setName("tick" + i)
              .setEvery(Duration.newBuilder().setSeconds(1))
              .setTask(Task.newBuilder().setName("tick"))
              .setMissed(MissedSlots.MISSED_SLOTS_ALL)
              .build();
      call(
          port,
          stub -> stub.upsert(UpsertScheduleRequest.newBuilder().setSchedule(schedule).build()));
    }
  }

  private interface Call<T> {
    T on(ScheduleServiceBlockingStub stub);
  }

  private static <T> T call(int port, Call<T> call) {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
    try {
      while (true) {
        try {
          return call.on(
              ScheduleServiceGrpc.newBlockingStub(channel)
                  .withWaitForReady()
                  .withDeadlineAfter(60, TimeUnit.SECONDS));
        } catch (StatusRuntimeException e) {
          if (e.getStatus().getCode() != io.grpc.Status.Code.UNAVAILABLE) {
            throw e;
          }
        }
      }
    } finally {
      channel.shutdownNow();
    }
  }

  private void awaitStarted(int count) {
    await()
        .atMost(PATIENCE)
        .pollInterval(java.time.Duration.ofMillis(10))
        .until(() -> started.size() >= count);
  }

  /// Waits until so many milliseconds of a second have passed.
  private static void untilAround(int millis) {
    long left = Math.floorMod(millis - System.currentTimeMillis(), 1_000L);
    LockSupport.parkNanos(left * 1_000_000);
  }

  /// Pauses the schedules, and compares their tasks with their slots from the first to the last.
  private void assertEverySlot(int port) {
    Set<String> expected = new TreeSet<>();
    for (int i = 0; i < SCHEDULES; i++) {
      String name = "tick" + i;
      var _ =
          call(port, stub -> stub.pause(PauseScheduleRequest.newBuilder().setName(name).build()));
      ScheduleState state =
          call(port, stub -> stub.get(GetScheduleRequest.newBuilder().setName(name).build()));
      long created = state.getCreatedAt().getSeconds();
      LongStream.rangeClosed(created + 1, state.getLastSlot().getSeconds())
          .mapToObj(second -> "schedule:" + name + ":" + Instant.ofEpochSecond(second))
          .forEach(expected::add);
    }
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(new TreeSet<>(started)).isEqualTo(expected));
    assertThat(again).as("runs after a completion was acknowledged").isEmpty();
    assertThat(completed).allSatisfy((id, times) -> assertThat(times).as(id).isOne());
    System.out.printf("%d slots of %d schedules, each with one task%n", expected.size(), SCHEDULES);
  }

  private final class Runs implements StreamWorker.Listener {
    @Override
    public void started(Delivery delivery) {
      String id = delivery.getTask().getId();
      started.add(id);
      if (completed.containsKey(id)) {
        synchronized (again) {
          again.add(id);
        }
      }
    }

    @Override
    public void answered(Delivery delivery, ResultStatus status) {
      if (status == ResultStatus.RESULT_STATUS_ACCEPTED) {
        int _ = completed.merge(delivery.getTask().getId(), 1, Integer::sum);
      }
    }
  }
}
