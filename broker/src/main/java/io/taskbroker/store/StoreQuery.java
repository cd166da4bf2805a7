package io.taskbroker.store;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/// Query that a [StoreCommitter] answers between commits. Immutable.
public sealed interface StoreQuery
    permits ParkedQuery,
        StoreQuery.Rows,
        StoreQuery.ForwardReports,
        StoreQuery.ReadRemoteReports,
        StoreQuery.ReadFinished,
        StoreQuery.Schedules,
        StoreQuery.Barrier {

  /// Rows by key, payloads included.
  ///
  /// @param owner the caller's own reference, returned with the answer
  record Rows(List<Long> keys, Object owner) implements StoreQuery {
    public Rows {
      keys = List.copyOf(keys);
    }
  }

  /// Reports on tasks that this broker does not have, to store for the broker that has them (H3).
  /// All waiting queries share one call of [ActivationStore#report].
  ///
  /// @param reports without keys
  /// @param owner the caller's own reference, returned with the answer
  record ForwardReports(List<RemoteReport> reports, Object owner) implements StoreQuery {
    public ForwardReports {
      reports = List.copyOf(reports);
    }
  }

  /// Reports that other brokers stored for these rows (H3).
  ///
  /// @param owner the caller's own reference, returned with the answer
  record ReadRemoteReports(List<Long> keys, Object owner) implements StoreQuery {
    public ReadRemoteReports {
      keys = List.copyOf(keys);
    }
  }

  /// The record of a finished task whose client asked for it.
  ///
  /// @param owner the caller's own reference, returned with the answer
  record ReadFinished(String id, Object owner) implements StoreQuery {}

  /// Work on the schedules. It is done once: a failure is the answer, not retried.
  ///
  /// @param answer completed by the committer's thread with the result, or with what the work threw
  record Schedules<T>(Function<ScheduleStore, T> work, CompletableFuture<T> answer)
      implements StoreQuery {
    /// @throws StoreException of kind `FATAL` if the store is unusable
    void answer(ActivationStore store) {
      try {
        answer.complete(work.apply(store.schedules()));
      } catch (RuntimeException e) {
        answer.completeExceptionally(e);
        if (e instanceof StoreException failure && failure.kind() == StoreException.Kind.FATAL) {
          throw failure;
        }
      }
    }
  }

  /// Barrier: answered once the outcome of every earlier change is known.
  ///
  /// @param owner the caller's own reference, returned with the answer
  record Barrier(Object owner) implements StoreQuery {}
}
