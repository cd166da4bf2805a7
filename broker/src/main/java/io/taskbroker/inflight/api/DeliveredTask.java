package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;

/// Task of a [Delivery]. Only the engine implements it.
public interface DeliveredTask {
  /// The activation. An operator may change its priority meanwhile, nothing else.
  Activation activation();
}
