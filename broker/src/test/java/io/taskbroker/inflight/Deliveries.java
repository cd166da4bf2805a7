package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.TokenEpoch;

/// Deliveries without an engine.
public final class Deliveries {
  private static final TokenEpoch EPOCH = new TokenEpoch(1);

  private Deliveries() {}

  /// The first delivery of an activation with this payload.
  public static Delivery of(String id, String application, byte[] payload) {
    Activation activation =
        Task.of(id).application(application).at(new Origin("tasks", 0, 0), 0).withPayload(payload);
    return new Delivery(() -> activation, 1, EPOCH, 1);
  }
}
