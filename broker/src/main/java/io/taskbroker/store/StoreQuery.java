package io.taskbroker.store;

import io.taskbroker.activation.Reported;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import java.util.List;

/// What a [StoreCommitter] is asked to do between commits, and answers. Immutable.
public sealed interface StoreQuery
    permits ParkedQuery,
        StoreQuery.OneRow,
        StoreQuery.PassOn,
        StoreQuery.Recorded,
        StoreQuery.Barrier {

  /// Reports about activations that this broker does not have, to be written down for the broker
  /// that has them (H3). All that wait are one call of [ActivationStore#report].
  ///
  /// @param reports without keys
  /// @param owner the asker's own
  record PassOn(List<Reported> reports, Object owner) implements StoreQuery {
    public PassOn {
      reports = List.copyOf(reports);
    }
  }

  /// A row of this broker's that is not parked.
  ///
  /// @param owner the asker's own
  record OneRow(long key, Object owner) implements StoreQuery {}

  /// What other brokers were told of these rows (H3).
  ///
  /// @param owner the asker's own
  record Recorded(List<Long> keys, Object owner) implements StoreQuery {
    public Recorded {
      keys = List.copyOf(keys);
    }
  }

  /// Answered when the fate of every change that was submitted before is known.
  ///
  /// @param owner the asker's own
  record Barrier(Object owner) implements StoreQuery {}
}
