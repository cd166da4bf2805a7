package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// What deliveries and departures are about, for those who check the engine from outside.
public final class Carried {
  private Carried() {}

  public static Activation by(Delivery delivery) {
    return ((InFlightTask) delivery.owner()).activation;
  }

  /// The key of its row.
  public static long keyOf(Delivery delivery) {
    return ((InFlightTask) delivery.owner()).key;
  }

  /// The key of its row.
  public static long keyOf(OutboxRecord record) {
    return ((InFlightTask) record.owner()).key;
  }
}
