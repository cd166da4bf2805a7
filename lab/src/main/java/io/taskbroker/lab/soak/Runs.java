package io.taskbroker.lab.soak;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.Behaviour.Result;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.TaskTemplate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Record of executions that detects repeated ones and delegates to the workload. Thread-safe.
/// Times are nanoseconds of the log; [#NEVER] if there is none.
final class Runs implements Behaviour {
  static final long NEVER = Long.MIN_VALUE;
  private static final int ATTEMPTS = 4;

  /// Deliveries already sent to workers may still arrive.
  private static final long IN_FLIGHT = TimeUnit.SECONDS.toNanos(2);

  private static final int MAX_REPEATS = 1_000_000;

  /// Repeated execution of an attempt.
  ///
  /// @param before previous start of the attempt
  /// @param settled whether the broker had acknowledged the completion of the task, or produced its
  ///   next attempt
  record Repeat(int number, int attempt, long before, long at, boolean settled) {}

  private final Workload workload;
  private final ExecutionLog log;
  private final byte[] starts;
  private final long[] first;
  private final long[] last;
  private final BitSet unacknowledged = new BitSet();
  private final List<Repeat> repeats = new ArrayList<>();

  Runs(Workload workload, ExecutionLog log) {
    this.workload = workload;
    this.log = log;
    starts = new byte[ATTEMPTS * workload.tasks()];
    first = new long[workload.tasks()];
    last = new long[workload.tasks()];
    Arrays.fill(first, NEVER);
    Arrays.fill(last, NEVER);
  }

  @Override
  public Run run(TaskActivation activation, int start) {
    int number = TaskTemplate.numberOf(activation);
    if (number >= 0 && number < workload.tasks()) {
      recordStart(number, Math.clamp(activation.getRetryState().getAttempts(), 0, ATTEMPTS - 1));
    }
    return workload.run(activation, start);
  }

  private synchronized void recordStart(int number, int attempt) {
    long now = now();
    int index = ATTEMPTS * number + attempt;
    if (starts[index] > 0 && repeats.size() < MAX_REPEATS) {
      repeats.add(new Repeat(number, attempt, last[number], now, isSettled(number, attempt, now)));
    }
    starts[index] = (byte) Math.min(starts[index] + 1, Byte.MAX_VALUE);
    if (first[number] == NEVER) {
      first[number] = now;
    }
    last[number] = now;
  }

  private boolean isSettled(int number, int attempt, long now) {
    long completed = log.completedAt(number);
    boolean complete = log.acknowledged(Result.COMPLETE, number) > 0 && now - completed > IN_FLIGHT;
    boolean next = attempt + 1 < ATTEMPTS && starts[ATTEMPTS * number + attempt + 1] > 0;
    return complete || next;
  }

  /// Records which tasks of an application were reported, or about to be, without an
  /// acknowledgement: its workers have just died, and the outcome at the broker is unknown.
  synchronized void workersDied(Application application) {
    for (int number = 0; number < workload.tasks(); number++) {
      if (workload.application(number) == application
          && log.finishes(number)
              > log.acknowledged(Result.COMPLETE, number)
                  + log.acknowledged(Result.RETRY, number)
                  + log.acknowledged(Result.FAIL, number)) {
        unacknowledged.set(number);
      }
    }
  }

  /// Whether the broker may have accepted a report of the task without its worker learning of it.
  synchronized boolean isUnacknowledged(int number) {
    return unacknowledged.get(number);
  }

  long now() {
    return log.now();
  }

  /// Number of starts of an attempt of the task.
  synchronized int starts(int number, int attempt) {
    return starts[ATTEMPTS * number + attempt];
  }

  synchronized long firstStart(int number) {
    return first[number];
  }

  synchronized long lastStart(int number) {
    return last[number];
  }

  synchronized List<Repeat> repeats() {
    return List.copyOf(repeats);
  }

  synchronized int repeated() {
    return repeats.size();
  }
}
