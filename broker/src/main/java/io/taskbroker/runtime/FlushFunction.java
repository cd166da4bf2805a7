package io.taskbroker.runtime;

import java.util.List;

/// What a [BatchFlusher] does with its batches. Called by the flusher's thread, but for
/// [#isUrgent].
@FunctionalInterface
public interface FlushFunction<T> {
  /// Makes the batch durable; when this returns, it is.
  ///
  /// @param batch at least one item, in the order in which they were accepted; must not be kept
  /// @throws Exception nothing of the batch counts as durable: the same batch is given again, after
  ///   a wait, unless [#isFatal] says otherwise
  void flush(List<T> batch) throws Exception;

  /// Whether trying again is of no use: the flusher then stops, and the stage has failed. An
  /// [Error] always is.
  default boolean isFatal(Exception failure) {
    return false;
  }

  /// Whether the item is due at once. Asked by the thread that hands it over, and only if there is
  /// an interval.
  default boolean isUrgent(T item) {
    return false;
  }

  /// Whether what follows the item, if it waits, too, must be in the same batch, however large that
  /// becomes. Asked under the lock of the queue.
  default boolean isJoined(T item) {
    return false;
  }

  /// A turn in which nothing waits: after a flush, when the time that it last asked for has passed,
  /// and a last time on close. Failures are treated as those of [#flush] are.
  ///
  /// @return nanoseconds until it is to be called again if nothing comes before
  default long idle() throws Exception {
    return Long.MAX_VALUE;
  }
}
