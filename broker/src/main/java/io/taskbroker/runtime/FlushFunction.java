package io.taskbroker.runtime;

import java.util.List;

/// Callback that makes the batches of a [BatchFlusher] durable. Runs on the flusher's thread,
/// except for [#isUrgent].
@FunctionalInterface
public interface FlushFunction<T> {
  /// Makes the batch durable before it returns.
  ///
  /// @param batch one item or more, in acceptance order; must not be retained
  /// @throws Exception if nothing of the batch counts as durable; the same batch is retried after a
  ///   delay, unless [#isFatal] returns true
  void flush(List<T> batch) throws Exception;

  /// Whether a retry is pointless; the flusher then stops and its stage fails. An [Error] is always
  /// fatal.
  default boolean isFatal(Exception failure) {
    return false;
  }

  /// Whether the item must be flushed at once. Called by the submitting thread, and only if there
  /// is an interval.
  default boolean isUrgent(T item) {
    return false;
  }

  /// Whether the next item, if already waiting, must be in the same batch, however large it
  /// becomes. Called under the queue's lock.
  default boolean isJoined(T item) {
    return false;
  }

  /// Idle callback: runs when nothing waits after a flush, when the delay returned last has passed,
  /// and once more on close. Its failures are handled like those of [#flush].
  ///
  /// @return nanoseconds until the next call if no item arrives earlier
  default long idle() throws Exception {
    return Long.MAX_VALUE;
  }
}
