package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// Content of deliveries and outbox records, for observers of the engine.
public final class Carried {
  private Carried() {}

  public static Activation by(Delivery delivery) {
    return ((InFlightTask) delivery.task()).activation;
  }

  /// The key of its row.
  public static long keyOf(Delivery delivery) {
    return ((InFlightTask) delivery.task()).key;
  }

  /// The key of its row.
  public static long keyOf(OutboxRecord record) {
    return ((InFlightTask) record.owner()).key;
  }
}
