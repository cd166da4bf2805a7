package io.taskbroker.testkit;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.time.Duration;

/// Behaviour of the tasks of a simulated worker. Called by the worker's threads; must not block.
@FunctionalInterface
public interface Behaviour {
  /// Decides on one execution.
  ///
  /// @param start number of executions of the logical task that have started so far, including this
  ///   one and those of retries; 1 if the activation carries no number
  Run run(TaskActivation activation, int start);

  /// Every task runs for the same time and completes.
  static Behaviour completing(Duration time) {
    Run run = Run.completing(time.toMillis());
    return (_, _) -> run;
  }

  /// Result that a worker reports.
  enum Result {
    COMPLETE(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE),
    RETRY(TaskActivationStatus.TASK_ACTIVATION_STATUS_RETRY),
    FAIL(TaskActivationStatus.TASK_ACTIVATION_STATUS_FAILURE),
    /// No report, as from a worker that died.
    NO_REPORT(TaskActivationStatus.TASK_ACTIVATION_STATUS_UNSPECIFIED);

    final TaskActivationStatus status;

    Result(TaskActivationStatus status) {
      this.status = status;
    }
  }

  /// One execution of a task; a time beyond the processing deadline overruns it.
  ///
  /// @param millis duration
  /// @param maxAttempts sent with a retry; [#NOT_GIVEN] for none
  /// @param delaySeconds delay sent with a retry; [#NOT_GIVEN] for none
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

    /// Occupies its slot for a time, then vanishes without a report.
    public static Run silent(long millis) {
      return new Run(millis, Result.NO_REPORT, NOT_GIVEN, NOT_GIVEN);
    }
  }
}
