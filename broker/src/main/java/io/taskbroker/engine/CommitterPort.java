package io.taskbroker.engine;

import io.taskbroker.activation.Change;
import io.taskbroker.store.StoreQuery;
import java.util.List;

/// Receiver of the changes and queries of each round. Called by the engine's thread; must not
/// block.
@FunctionalInterface
public interface CommitterPort {
  /// Makes changes durable, then answers the queries. The receiver owns the lists from now on.
  void submit(List<Change> changes, List<StoreQuery> queries);
}
