package io.taskbroker;

import io.taskbroker.inflight.Intake;
import io.taskbroker.ingest.Custody;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.Ownership;
import java.time.InstantSource;

/// The real custody of brokers that share a store, for a simulation.
public final class SteppedPartitions {
  private SteppedPartitions() {}

  /// @param history the same store
  public static Custody of(
      Ownership ownership, ActivationStore history, Intake intake, InstantSource clock) {
    return new SharedPartitions(ownership, history, intake, clock);
  }
}
