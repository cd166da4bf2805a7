package io.taskbroker.store;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import java.util.List;

/// What a [StoreCommitter] is asked to do between commits, and answers. Immutable.
public sealed interface StoreQuery
    permits ParkedQuery,
        StoreQuery.Rows,
        StoreQuery.ForwardReports,
        StoreQuery.ReadRemoteReports,
        StoreQuery.Barrier {

  /// Rows by their keys, payloads included.
  ///
  /// @param owner the asker's own
  record Rows(List<Long> keys, Object owner) implements StoreQuery {
    public Rows {
      keys = List.copyOf(keys);
    }
  }

  /// Reports about activations that this broker does not have, to be written down for the broker
  /// that has them (H3). All that wait are one call of [ActivationStore#report].
  ///
  /// @param reports without keys
  /// @param owner the asker's own
  record ForwardReports(List<RemoteReport> reports, Object owner) implements StoreQuery {
    public ForwardReports {
      reports = List.copyOf(reports);
    }
  }

  /// What other brokers were told of these rows (H3).
  ///
  /// @param owner the asker's own
  record ReadRemoteReports(List<Long> keys, Object owner) implements StoreQuery {
    public ReadRemoteReports {
      keys = List.copyOf(keys);
    }
  }

  /// Answered when the fate of every change that was submitted before is known.
  ///
  /// @param owner the asker's own
  record Barrier(Object owner) implements StoreQuery {}
}
