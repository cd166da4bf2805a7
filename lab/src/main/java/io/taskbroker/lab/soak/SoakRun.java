package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.StopHook;
import io.taskbroker.lab.soak.FaultPlan.Planned;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// What is done between the beginning of the load and the end of the last task: lets faults happen,
/// looks at the heap of the process that lives to the end, and waits for what is still under way.
/// Owned by one thread.
final class SoakRun {
  private static final Duration TURN = Duration.ofMillis(100);
  private static final Duration WORK = Duration.ofSeconds(20);
  private static final int ENOUGH_WORK = 50;
  private static final long LOOK_MILLIS = 500;
  private static final int HEAP_LOOKS = 12;

  private final SoakOptions options;
  private final FaultPlan plan;
  private final SoakEnvironment scene;
  private final Faults faults;
  private final StopHook hook;
  private final RestartableBroker broker;
  private final List<Heap> heaps = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final List<Planned> leftOut = new ArrayList<>();
  private final long heapPeriod;
  private long nextHeap;
  private long lastProcess;

  SoakRun(
      SoakOptions options, FaultPlan plan, SoakEnvironment scene, Faults faults, StopHook hook) {
    this.options = options;
    this.plan = plan;
    this.scene = scene;
    this.faults = faults;
    this.hook = hook;
    broker = scene.victims().broker();
    heapPeriod = options.load().minus(plan.lastProcess()).dividedBy(HEAP_LOOKS).toNanos();
    nextHeap = plan.lastProcess().toNanos() + heapPeriod;
  }

  /// Returns when nothing is under way any more, or nothing moves.
  void run() throws InterruptedException {
    try {
      letFaultsHappen();
      drain();
      lookAtHeap();
    } catch (IllegalStateException e) {
      problems.add(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
    if (hook.isAsked()) {
      problems.add("interrupted");
    }
  }

  /// Returns when the load is over and all faults have happened; on a slow machine they are late,
  /// and the last of them are left out when the load has been over for as long as it took.
  private void letFaultsHappen() throws InterruptedException {
    long end = options.load().toNanos();
    var waiting = new ArrayDeque<Planned>(plan.faults());
    awaitWork();
    while (goesOn() && (now() < end || (!waiting.isEmpty() && now() < 2 * end))) {
      if (waiting.stream().noneMatch(fault -> fault.kind().restarts)) {
        lookAtHeapIfDue();
      }
      if (!waiting.isEmpty() && now() >= waiting.getFirst().at().toNanos()) {
        Planned fault = waiting.removeFirst();
        faults.happen(fault);
        awaitWork();
        if (fault.kind().restarts) {
          lastProcess = now();
          nextHeap = Math.max(nextHeap, lastProcess + heapPeriod);
        }
      } else {
        pause(TURN.toMillis());
      }
    }
    leftOut.addAll(waiting);
  }

  private long now() {
    return scene.runs().now();
  }

  private boolean goesOn() {
    return !hook.isAsked() && isAlive();
  }

  private void pause(long millis) throws InterruptedException {
    var _ = hook.asked().await(millis, TimeUnit.MILLISECONDS);
  }

  /// A fault is to hit a broker that works.
  private void awaitWork() throws InterruptedException {
    long deadline = System.nanoTime() + WORK.toNanos();
    long enough = scene.log().acknowledged() + ENOUGH_WORK;
    while (goesOn() && scene.log().acknowledged() < enough && System.nanoTime() - deadline < 0) {
      pause(TURN.toMillis());
    }
  }

  private boolean isAlive() {
    if (broker.diedWith().isPresent()) {
      String problem = "the broker ended with code " + broker.diedWith().getAsInt();
      if (!problems.contains(problem)) {
        problems.add(problem);
      }
      return false;
    }
    return true;
  }

  private void lookAtHeapIfDue() throws InterruptedException {
    if (now() >= nextHeap) {
      lookAtHeap();
      nextHeap = now() + heapPeriod;
    }
  }

  private void lookAtHeap() throws InterruptedException {
    if (isAlive()) {
      SoakSetting setting = scene.victims().setting();
      heaps.add(Heap.of(broker.pid(), now(), setting.dir().resolve("heap.txt")));
    }
  }

  /// Waits until every task has come to an end and the broker has nothing left.
  private void drain() throws InterruptedException {
    long moved = System.nanoTime();
    long before = -1;
    while (goesOn() && !isDrained()) {
      lookAtHeapIfDue();
      long movement = scene.movement();
      if (movement != before) {
        before = movement;
        moved = System.nanoTime();
      } else if (System.nanoTime() - moved > options.patience().toNanos()) {
        problems.add("nothing happened for %d s".formatted(options.patience().toSeconds()));
        break;
      }
      pause(LOOK_MILLIS);
    }
    long uncommitted =
        scene
            .victims()
            .setting()
            .leftOvers(scene.victims().kafka().bootstrap())
            .uncommitted(options.patience(), hook.asked());
    if (uncommitted > 0) {
      problems.add(uncommitted + " messages are not committed as consumed");
    }
  }

  private boolean isDrained() {
    return scene.victims().publisher().isDone()
        && ResultCheck.open(scene.evidence(), faults.incidents()) == 0
        && LeftOvers.rows(scene.victims().setting().database()) == 0;
  }

  /// Of the process that lived to the end, in the order of time.
  List<Heap> heaps() {
    return List.copyOf(heaps);
  }

  List<String> problems() {
    return List.copyOf(problems);
  }

  /// The faults for which the machine was too slow.
  List<Planned> leftOut() {
    return List.copyOf(leftOut);
  }

  /// When the process began to work that lived to the end; nanoseconds since the beginning.
  long lastProcess() {
    return lastProcess;
  }
}
