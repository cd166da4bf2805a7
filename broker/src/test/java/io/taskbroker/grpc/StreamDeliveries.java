package io.taskbroker.grpc;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.inflight.api.DeliveredTask;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.TokenEpoch;

/// Deliveries of enqueued tasks, for tests of worker streams.
final class StreamDeliveries {
  static final TokenEpoch EPOCH = TokenEpoch.at(1_700_000_000_000L, 1);

  private StreamDeliveries() {}

  /// First delivery of a task.
  ///
  /// @param number the number in its token
  static Delivery of(String id, long number, byte[] payload) {
    var activation =
        new Activation(
            id,
            "shop",
            "post",
            "mail",
            payload,
            Origin.enqueued(0),
            0,
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            false,
            false);
    DeliveredTask task = () -> activation;
    return new Delivery(task, 1, EPOCH, number);
  }
}
