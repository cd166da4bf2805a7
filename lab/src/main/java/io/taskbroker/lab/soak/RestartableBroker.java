package io.taskbroker.lab.soak;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/// The place of the broker, in which one process follows another. Owned by one thread; [#pid] may
/// be asked by any.
final class RestartableBroker implements AutoCloseable {
  /// Long, for a machine that does much else; how long it took is reported.
  private static final Duration START = Duration.ofSeconds(90);

  /// What a broker may take (G9), and a little more for a machine that does other things, too.
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

  /// Stops in order; that it did not is a problem.
  void stop() throws InterruptedException {
    down = true;
    try {
      int code = process.stop(STOP);
      if (code != 0) {
        problems.add("the broker ended with code " + code + " when it was asked to stop");
      }
    } catch (IllegalStateException e) {
      problems.add(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
    }
  }

  /// Another process; the one before has ended.
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

  /// The code with which the process ended although nobody had asked it to.
  OptionalInt diedWith() {
    return down ? OptionalInt.empty() : process.exitCode();
  }

  long pid() {
    return pid;
  }

  int starts() {
    return starts;
  }

  /// From the start of a process until it served.
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
