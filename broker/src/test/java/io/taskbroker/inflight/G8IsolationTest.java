package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.PushOutcome;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// G8: the work that the engine does for one application does not depend on the backlog of others:
/// neither the written changes, nor the read rows, the calls, the memory, or the queues that are
/// examined.
@Timeout(240)
final class G8IsolationTest {
  private static final int MAX = 50;
  private static final int STALE = 2_048;
  private static final int HEALTHY = 200;

  @Test
  void w26w13DeadWorkerPoolCostsItsNeighbourNothing() {
    var rig = new EngineRig(RigOptions.push("dead", "app").maxPending(MAX));
    rig.worker =
        delivery ->
            delivery.application().equals("dead") ? PushOutcome.UNREACHABLE : PushOutcome.ACCEPTED;
    RigPartition partition = rig.assigned("tasks");
    partition.send(many("stale", "dead", STALE));
    rig.pass(5_000);
    assertThat(rig.depths().parked()).as("no neighbour waits behind them yet").isZero();
    partition.send(Task.of("first"));
    rig.report(Status.COMPLETE, "first");
    long calls = count(rig, "dead");
    int written = rig.store.history.size();

    long begin = rig.now;
    for (int i = 0; i < HEALTHY; i++) {
      partition.send(Task.of("t" + i));
      assertThat(rig.deliveredIds()).endsWith("t" + i);
      rig.pass(10);
      rig.report(Status.COMPLETE, "t" + i);
    }
    long seconds = (rig.now - begin) / 1_000;
    assertThat(rig.store.history.size() - written).as("changes").isEqualTo(3 * HEALTHY);
    assertThat(count(rig, "dead") - calls).as("failed calls").isBetween(1L, 3 * seconds);
    assertThat(rig.depths().pending()).isEqualTo(MAX);
    assertThat(rig.depths().parked()).isEqualTo(STALE - MAX);
    assertThat(partition.consumed).isEqualTo(STALE + 1 + HEALTHY);
    assertThat(rig.noticed(EngineEvent.WORKER_UNREACHABLE)).hasSize(1);
  }

  @Test
  void w26DeadWorkerIsTriedAtLeastEverySecondAndGetsItsBacklogInOrder() {
    var rig = new EngineRig(RigOptions.push("dead", "app").maxPending(MAX));
    rig.worker = _ -> PushOutcome.UNREACHABLE;
    RigPartition partition = rig.assigned("tasks");
    partition.send(many("stale", "dead", STALE));
    rig.pass(60_000);
    rig.deliveries.clear();
    rig.worker = _ -> PushOutcome.ACCEPTED;
    rig.pass(1_000);
    assertThat(rig.deliveries).isNotEmpty();
    int done = 0;
    while (done < STALE) {
      assertThat(rig.deliveries).as("after %d were done", done).hasSizeGreaterThan(done);
      rig.report(Status.COMPLETE, rig.deliveries.get(done++).id());
    }
    assertThat(rig.deliveredIds()).containsExactlyElementsOf(ids("stale", STALE));
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void w27ApplicationWithoutAWorkerWaitsUncountedAndIsReportedOnce() {
    var rig = new EngineRig(RigOptions.push("app").maxPending(MAX));
    rig.worker = _ -> PushOutcome.ACCEPTED;
    RigPartition partition = rig.assigned("tasks");
    partition.send(
        Stream.of(many("nowhere", "nowhere", STALE)).map(Task::deadLetters).toArray(Task[]::new));
    partition.send(Task.of("t"));
    rig.pass(2_000);
    rig.report(Status.COMPLETE, "t");
    int written = rig.store.history.size();
    assertThat(rig.engine().nextWake()).as("next wake-up").isEqualTo(Long.MAX_VALUE);

    rig.pass(7 * 24 * 3_600_000L);
    assertThat(rig.deliveredIds()).containsExactly("t");
    assertThat(rig.store.history).hasSize(written);
    assertThat(rig.store.rows()).hasSize(STALE).allMatch(row -> row.attempts() == 0);
    assertThat(rig.outbox).isEmpty();
    assertThat(rig.noticed(EngineEvent.NO_WORKER)).containsExactly("nowhere");
  }

  @Test
  void w27ApplicationWithoutAWorkerIsReportedAgainAfterARestart() {
    var rig = new EngineRig(RigOptions.push("app").settle(2_000));
    rig.assigned("tasks").send(many("nowhere", "nowhere", 10));
    rig.notices.clear();
    rig.crash();
    rig.pass(2_000);
    assertThat(rig.noticed(EngineEvent.NO_WORKER)).containsExactly("nowhere");
  }

  @Test
  void w45SlowWorkerIsCalledLessAndBlocksNoOther() {
    var rig = new EngineRig(RigOptions.push("slow", "app").maxPending(STALE));
    rig.worker = delivery -> delivery.application().equals("slow") ? null : PushOutcome.ACCEPTED;
    RigPartition partition = rig.assigned("tasks");
    partition.send(many("slow", "slow", STALE));
    for (int i = 0; i < HEALTHY; i++) {
      partition.send(Task.of("t" + i));
      assertThat(rig.deliveredIds()).endsWith("t" + i);
      rig.report(Status.COMPLETE, "t" + i);
    }
    assertThat(rig.calls).as("unanswered calls").hasSizeLessThanOrEqualTo(4);
    rig.pass(30_000);
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.LOST));
    assertThat(rig.calls).hasSizeLessThanOrEqualTo(1);
  }

  @Test
  void h13WorkForATaskIsTheSameBesideAHundredThousandRowsOfOthers() {
    var rig = new EngineRig(RigOptions.pull().maxPending(MAX));
    for (int key = 1; key <= 100_000; key++) {
      rig.store.put(parked(key, "dead", rig));
    }
    rig.crash();
    RigPartition partition = rig.assigned("tasks");
    rig.pass(2_000);
    assertThat(rig.depths().pending()).isEqualTo(MAX);
    assertThat(rig.depths().parked()).isEqualTo(100_000 - MAX);
    long memory = rig.depths().memoryBytes();
    int written = rig.store.history.size();
    int reads = rig.store.reads;

    for (int i = 0; i < HEALTHY; i++) {
      partition.send(Task.of("t" + i));
      assertThat(rig.claim("app", "ns").id()).isEqualTo("t" + i);
      rig.report(Status.COMPLETE, "t" + i);
    }
    assertThat(rig.store.history.size() - written).as("changes").isEqualTo(3 * HEALTHY);
    assertThat(rig.store.reads).as("reads").isEqualTo(reads);
    assertThat(rig.depths().memoryBytes()).isEqualTo(memory);
  }

  @Test
  void h13LargePayloadsOfOneDeadApplicationLeaveMemoryToOthers() {
    var rig = new EngineRig(RigOptions.pull().maxPending(1_000).maxMemoryBytes(1_000_000));
    RigPartition partition = rig.assigned("tasks");
    for (String dead : List.of("dead", "deader", "deadest")) {
      partition.send(
          Stream.of(many(dead, dead, 200)).map(task -> task.size(10_000)).toArray(Task[]::new));
    }
    rig.pass(5_000);
    assertThat(rig.depths().memoryBytes()).isLessThan(1_000_000);
    for (int i = 0; i < HEALTHY; i++) {
      partition.send(Task.of("t" + i).size(10_000));
      assertThat(rig.claim("app", null).id()).isEqualTo("t" + i);
      rig.report(Status.COMPLETE, "t" + i);
    }
    assertThat(partition.consumed).isEqualTo(600 + HEALTHY);
  }

  @Test
  void roundsDoNotExamineWaitingApplications() {
    long few = roundsBeside(1);
    long many = roundsBeside(20_000);
    assertThat(many).as("nanoseconds, beside one application %d", few).isLessThan(50 * few);
  }

  /// Processor time of rounds that each deliver a task, while so many applications wait for
  /// workers.
  private static long roundsBeside(int applications) {
    var rig = new EngineRig(RigOptions.pull());
    RigPartition partition = rig.assigned("tasks");
    partition.send(
        IntStream.range(0, applications)
            .mapToObj(i -> Task.of("dead" + i).application("dead" + i))
            .toArray(Task[]::new));
    partition.send(many("parked", "dead0", 200));
    int tasks = 2_000;
    var threads = ManagementFactory.getThreadMXBean();
    long begin = threads.getCurrentThreadCpuTime();
    for (int i = 0; i < tasks; i++) {
      partition.send(Task.of("t" + i));
      assertThat(rig.claim("app", null).id()).isEqualTo("t" + i);
      rig.report(Status.COMPLETE, "t" + i);
    }
    return threads.getCurrentThreadCpuTime() - begin;
  }

  @Test
  void w26PullWithoutAFilterGivesTheOldestOfManyApplicationsAndNamespaces() {
    var rig = new EngineRig(RigOptions.pull());
    RigPartition partition = rig.assigned("tasks");
    Task[] tasks =
        IntStream.range(0, 500)
            .mapToObj(i -> Task.of("t" + i).application("a" + i % 7).namespace("n" + i % 11))
            .toArray(Task[]::new);
    partition.send(tasks);
    assertThat(rig.claim("a3", "n3").id()).isEqualTo("t3");
    assertThat(rig.claim("a3", null).id()).isEqualTo("t10");
    for (int i = 0; i < 500; i++) {
      if (i != 3 && i != 10) {
        assertThat(rig.claim().id()).isEqualTo("t" + i);
      }
    }
    assertThat(rig.claim().id()).isEmpty();
  }

  private static Row parked(int key, String application, EngineRig rig) {
    var activation =
        Task.of("stale" + key).application(application).at(new Origin("tasks", 0, key), rig.wall);
    return Row.arriving(key, activation, Status.PENDING, rig.wall).parkedUntil(rig.wall);
  }

  private static long count(EngineRig rig, String application) {
    return rig.deliveries.stream().filter(it -> it.application().equals(application)).count();
  }

  private static List<String> ids(String name, int count) {
    return Arrays.stream(many(name, name, count)).map(task -> task.id).toList();
  }

  private static Task[] many(String name, String application, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> Task.of(name + "-" + i).application(application))
        .toArray(Task[]::new);
  }
}
