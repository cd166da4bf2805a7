package io.taskbroker.testkit;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.time.Duration;

/// How tasks behave in a simulated worker. Called by the threads of a worker; must not block.
@FunctionalInterface
public interface Behaviour {
  /// Decides on one run.
  ///
  /// @param start how many runs of the logical task have started so far, this one included; retries
  ///   count. 1 if the activation carries no number
  Run run(TaskActivation activation, int start);

  /// Every task runs for the same time, and completes.
  static Behaviour completing(Duration time) {
    Run run = Run.completing(time.toMillis());
    return (_, _) -> run;
  }

  /// What a worker reports.
  enum Result {
    COMPLETE(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE),
    RETRY(TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY),
    FAIL(TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE),
    /// It reports nothing at all, like a worker that died.
    NO_REPORT(TaskActivationStatus.TASK_ACTIVATION_STATUS_UNSPECIFIED);

    final TaskActivationStatus status;

    Result(TaskActivationStatus status) {
      this.status = status;
    }
  }

  /// One run of a task. A time beyond the processing deadline is a run that overruns it.
  ///
  /// @param millis how long it takes
  /// @param maxAttempts sent along with a retry; [#NOT_GIVEN] if not
  /// @param delaySeconds delay of a retry, sent along with it; [#NOT_GIVEN] if not
  record Run(long millis, Result result, int maxAttempts, int delaySeconds) {
    public static final int NOT_GIVEN = -1;

    public static Run completing(long millis) {
      return new Run(millis, Result.COMPLETE, NOT_GIVEN, NOT_GIVEN);
    }

    public static Run failing(long millis) {
      return new Run(millis, Result.FAIL, NOT_GIVEN, NOT_GIVEN);
    }

    public static Run retrying(long millis, int maxAttempts, int delaySeconds) {
      return new Run(millis, Result.RETRY, maxAttempts, delaySeconds);
    }

    /// Holds its place for a time, then vanishes.
    public static Run silent(long millis) {
      return new Run(millis, Result.NO_REPORT, NOT_GIVEN, NOT_GIVEN);
    }
  }
}
