package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;

/// Task of a [Delivery]. Only the engine implements it.
public interface DeliveredTask {
  /// The activation; always the same.
  Activation activation();
}
