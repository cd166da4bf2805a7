package io.taskbroker.schedule;

import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Function;

/// Blocking access to the schedules in the store, through its committer.
///
/// @param committer takes queries
/// @param waits how the calling thread waits
record StoreAccess(Consumer<StoreQuery> committer, Waits waits) {
  private static final int PATIENCE_SECONDS = 10;

  /// Does work on the schedules.
  ///
  /// @throws ScheduleException of kind `UNAVAILABLE` or `FULL` if the store does not answer,
  ///   `INVALID` if it cannot hold what is asked for, or what the work throws
  <T> T on(Function<ScheduleStore, T> work) throws InterruptedException {
    CompletableFuture<T> answer = new CompletableFuture<>();
    committer.accept(new StoreQuery.Schedules<>(work, answer));
    try {
      return waits.get(answer, PATIENCE_SECONDS);
    } catch (TimeoutException _) {
      throw new ScheduleException(
          ScheduleException.Kind.UNAVAILABLE,
          "The store has not answered for " + PATIENCE_SECONDS + " s: try again");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StoreException failure) {
        throw new ScheduleException(kind(failure.kind()), String.valueOf(failure.getMessage()));
      }
      if (e.getCause() instanceof ScheduleException refused) {
        throw refused;
      }
      throw new IllegalStateException("Cannot use the schedules of the store", e.getCause());
    }
  }

  private static ScheduleException.Kind kind(StoreException.Kind failure) {
    return switch (failure) {
      case FULL -> ScheduleException.Kind.FULL;
      case DATA -> ScheduleException.Kind.INVALID; // such as U+0000 in a name
      case TRANSIENT, FATAL -> ScheduleException.Kind.UNAVAILABLE;
    };
  }
}
