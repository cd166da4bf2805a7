package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;

/// Deliveries without an engine.
public final class Deliveries {
  private static final TokenEpoch EPOCH = new TokenEpoch(1);

  private Deliveries() {}

  /// The first delivery of an activation with this payload.
  public static Delivery of(String id, String application, byte[] payload) {
    var activation =
        new Activation(
            id,
            application,
            "namespace",
            "task",
            payload,
            new Origin("tasks", 0, 0),
            0,
            Activation.NEVER,
            0,
            10,
            FailurePolicy.DISCARD,
            false,
            false);
    return new Delivery(() -> activation, 1, EPOCH, 1);
  }
}
