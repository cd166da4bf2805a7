package io.taskbroker;

import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.Ownership;
import java.time.InstantSource;

/// The real partition hand-off of brokers with a shared store, for a simulation.
public final class SteppedPartitions {
  private SteppedPartitions() {}

  /// @param history the same store
  public static PartitionOwnership of(
      Ownership ownership, ActivationStore history, CommandSink sink, InstantSource clock) {
    return new PartitionHandoff(ownership, history, sink, clock);
  }
}
