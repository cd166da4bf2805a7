package io.taskbroker.client;

/// Code of a task. It runs on a virtual thread of its own, concurrently with other calls.
///
/// - It returns: the call is completed.
/// - It throws: the attempt failed; the [RetryPolicy] of the call decides about another.
/// - It throws [FinalFailureException]: the call failed, whatever the policy.
/// - It throws [RetryLaterException]: another attempt after the given delay.
///
/// When the deadline passes, the call is cancelled or the worker stops, the thread is interrupted
/// and [TaskContext#cancellation] says why. A call may run more than once unless its task is [at
/// most once][Task#atMostOnce]: make it idempotent.
///
/// @param <T> type of the argument
@FunctionalInterface
public interface TaskHandler<T> {
  /// @throws Exception if the attempt failed
  void run(T argument, TaskContext context) throws Exception;

  /// A handler that does not need the context.
  ///
  /// @param <T> type of the argument
  @FunctionalInterface
  interface OfArgument<T> {
    /// @throws Exception if the attempt failed
    void run(T argument) throws Exception;
  }
}
