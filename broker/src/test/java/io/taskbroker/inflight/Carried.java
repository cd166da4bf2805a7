package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// What deliveries and departures are about, for those who check the engine from outside.
public final class Carried {
  private Carried() {}

  public static Activation by(Delivery delivery) {
    return ((Entry) delivery.owner()).activation;
  }

  /// The key of its row.
  public static long keyOf(Delivery delivery) {
    return ((Entry) delivery.owner()).key;
  }

  /// The key of its row.
  public static long keyOf(Departure departure) {
    return ((Entry) departure.owner()).key;
  }
}
