package io.taskbroker.lab.soak;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// Broker that is restarted: one process after another. Owned by one thread; [#pid] may be called
/// by any.
final class RestartableBroker implements AutoCloseable {
  /// Generous, for a busy machine; the actual time is reported.
  private static final Duration START = Duration.ofSeconds(90);

  /// The stop time limit of a broker (G9), with a margin for a busy machine.
  private static final Duration STOP = Duration.ofSeconds(12);

  private final BrokerLaunch launch;
  private final List<String> problems = new ArrayList<>();
  private BrokerProcess process;
  private volatile long pid;
  private volatile boolean down;
  private int starts = 1;
  private Duration slowestStart = Duration.ZERO;

  RestartableBroker(BrokerLaunch launch) {
    this.launch = launch;
    process = BrokerProcess.start(launch);
    pid = process.pid();
  }

  /// @throws IllegalStateException with the end of the log, if it does not serve in time
  void awaitServing() throws InterruptedException {
    long begin = System.nanoTime();
    process.awaitServing(START);
    Duration took = Duration.ofNanos(System.nanoTime() - begin);
    slowestStart = took.compareTo(slowestStart) > 0 ? took : slowestStart;
  }

  void kill() {
    down = true;
    process.kill();
  }

  /// Stops gracefully; a failure to do so is a problem.
  void stop() throws InterruptedException {
    down = true;
    try {
      int code = process.stop(STOP);
      if (code != 0) {
        problems.add("the broker ended with code " + code + " on a graceful stop");
      }
    } catch (IllegalStateException e) {
      problems.add(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  /// Starts another process; the previous one has ended.
  void start() {
    process = BrokerProcess.start(launch);
    pid = process.pid();
    starts++;
    down = false;
  }

  void freeze() throws InterruptedException {
    process.freeze();
  }

  void thaw() throws InterruptedException {
    process.thaw();
  }

  /// Exit code of a process that ended without being stopped.
  OptionalInt diedWith() {
    return down ? OptionalInt.empty() : process.exitCode();
  }

  long pid() {
    return pid;
  }

  int starts() {
    return starts;
  }

  /// Longest time from the start of a process until it served.
  Duration slowestStart() {
    return slowestStart;
  }

  List<String> problems() {
    return List.copyOf(problems);
  }

  @Override
  public void close() {
    process.close();
  }
}
