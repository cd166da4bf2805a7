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

/// When each task ran, and which runs repeat one: hands every run on to the workload, and looks at
/// it. Thread-safe. Times are nanoseconds of the log; [#NEVER] if there is none.
final class Runs implements Behaviour {
  static final long NEVER = Long.MIN_VALUE;
  private static final int ATTEMPTS = 4;

  /// What workers have been sent may still arrive.
  private static final long ON_THE_WAY = TimeUnit.SECONDS.toNanos(2);

  private static final int MAX_REPEATS = 1_000_000;

  /// A run of an attempt that had been started before.
  ///
  /// @param before when the attempt was started last
  /// @param settled whether the task had been reported as complete, and the broker had acknowledged
  ///   that, or had made its next attempt
  record Repeat(int number, int attempt, long before, long at, boolean settled) {}

  private final Workload workload;
  private final ExecutionLog log;
  private final byte[] starts;
  private final long[] first;
  private final long[] last;
  private final BitSet unheard = new BitSet();
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
      note(number, Math.clamp(activation.getRetryState().getAttempts(), 0, ATTEMPTS - 1));
    }
    return workload.run(activation, start);
  }

  private synchronized void note(int number, int attempt) {
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
    boolean complete =
        log.acknowledged(Result.COMPLETE, number) > 0 && now - completed > ON_THE_WAY;
    boolean next = attempt + 1 < ATTEMPTS && starts[ATTEMPTS * number + attempt + 1] > 0;
    return complete || next;
  }

  /// Notes which tasks of an application were reported, or about to be, and not acknowledged: its
  /// workers have just died, and nobody will know what the broker made of it.
  synchronized void workersDied(Application application) {
    for (int number = 0; number < workload.tasks(); number++) {
      if (workload.application(number) == application
          && log.finishes(number)
              > log.acknowledged(Result.COMPLETE, number)
                  + log.acknowledged(Result.RETRY, number)
                  + log.acknowledged(Result.FAIL, number)) {
        unheard.set(number);
      }
    }
  }

  /// Whether a report of the task may have been taken by the broker without its worker hearing of
  /// it.
  synchronized boolean isUnheard(int number) {
    return unheard.get(number);
  }

  long now() {
    return log.now();
  }

  /// How often an attempt of the task was started.
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
