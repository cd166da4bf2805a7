package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.LeftOvers;
import io.taskbroker.lab.rig.StopHook;
import io.taskbroker.lab.soak.FaultPlan.Planned;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Sequence from the start of the load to the end of the last task: injects faults, measures the
/// heap of the last process, and waits for pending tasks. Owned by one thread.
final class SoakRun {
  private static final Duration TURN = Duration.ofMillis(100);
  private static final Duration WORK = Duration.ofSeconds(20);
  private static final int ENOUGH_WORK = 50;
  private static final long LOOK_MILLIS = 500;
  private static final int HEAP_LOOKS = 12;

  private final SoakOptions options;
  private final FaultPlan plan;
  private final SoakEnvironment environment;
  private final FaultInjector faults;
  private final StopHook hook;
  private final RestartableBroker broker;
  private final List<Heap> heaps = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private final List<Planned> leftOut = new ArrayList<>();
  private final long heapPeriod;
  private long nextHeap;
  private long lastProcess;

  SoakRun(
      SoakOptions options,
      FaultPlan plan,
      SoakEnvironment environment,
      FaultInjector faults,
      StopHook hook) {
    this.options = options;
    this.plan = plan;
    this.environment = environment;
    this.faults = faults;
    this.hook = hook;
    broker = environment.victims().broker();
    heapPeriod = options.load().minus(plan.lastProcess()).dividedBy(HEAP_LOOKS).toNanos();
    nextHeap = plan.lastProcess().toNanos() + heapPeriod;
  }

  /// Returns when nothing is pending, or nothing progresses.
  void run() throws InterruptedException {
    try {
      injectFaults();
      drain();
      measureHeap();
    } catch (IllegalStateException e) {
      problems.add(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
    if (hook.isAsked()) {
      problems.add("interrupted");
    }
  }

  /// Returns when the load is over and all faults have happened. On a slow machine they are late,
  /// and the last ones are skipped once the load has been over for as long as it took.
  private void injectFaults() throws InterruptedException {
    long end = options.load().toNanos();
    var waiting = new ArrayDeque<Planned>(plan.faults());
    awaitWork();
    while (isRunning() && (now() < end || (!waiting.isEmpty() && now() < 2 * end))) {
      if (waiting.stream().noneMatch(fault -> fault.kind().restarts)) {
        measureHeapIfDue();
      }
      if (!waiting.isEmpty() && now() >= waiting.getFirst().at().toNanos()) {
        Planned fault = waiting.removeFirst();
        faults.inject(fault);
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
    return environment.runs().now();
  }

  private boolean isRunning() {
    return !hook.isAsked() && isAlive();
  }

  private void pause(long millis) throws InterruptedException {
    var _ = hook.asked().await(millis, TimeUnit.MILLISECONDS);
  }

  /// Waits for a working broker before the next fault.
  private void awaitWork() throws InterruptedException {
    long deadline = System.nanoTime() + WORK.toNanos();
    long enough = environment.log().acknowledged() + ENOUGH_WORK;
    while (isRunning()
        && environment.log().acknowledged() < enough
        && System.nanoTime() - deadline < 0) {
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

  private void measureHeapIfDue() throws InterruptedException {
    if (now() >= nextHeap) {
      measureHeap();
      nextHeap = now() + heapPeriod;
    }
  }

  private void measureHeap() throws InterruptedException {
    if (isAlive()) {
      SoakSetting setting = environment.victims().setting();
      heaps.add(Heap.of(broker.pid(), now(), setting.dir().resolve("heap.txt")));
    }
  }

  /// Waits until every task has ended and the broker has nothing left.
  private void drain() throws InterruptedException {
    long moved = System.nanoTime();
    long before = -1;
    while (isRunning() && !isDrained()) {
      measureHeapIfDue();
      long movement = environment.movement();
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
        environment
            .victims()
            .setting()
            .leftOvers(environment.victims().kafka().bootstrap())
            .uncommitted(options.patience(), hook.asked());
    if (uncommitted > 0) {
      problems.add(uncommitted + " messages are not committed as consumed");
    }
  }

  private boolean isDrained() {
    return environment.victims().publisher().isDone()
        && ResultCheck.open(environment.evidence(), faults.incidents()) == 0
        && LeftOvers.rows(environment.victims().setting().database()) == 0;
  }

  /// Heaps of the last process, in order of time.
  List<Heap> heaps() {
    return List.copyOf(heaps);
  }

  List<String> problems() {
    return List.copyOf(problems);
  }

  /// Faults that were skipped on a slow machine.
  List<Planned> leftOut() {
    return List.copyOf(leftOut);
  }

  /// Start of the last process; nanoseconds since the start of the load.
  long lastProcess() {
    return lastProcess;
  }
}
