package io.taskbroker.inflight;

/// Activation that is delivered to a worker. Immutable; nobody writes to the payload.
///
/// @param task the task that is delivered
/// @param deliveries number of deliveries by this process, this one included
/// @param epoch of the [#token]
/// @param number the number in the [#token]
public record Delivery(DeliveredTask task, int deliveries, TokenEpoch epoch, long number) {
  public String id() {
    return task.activation().id();
  }

  public String application() {
    return task.activation().application();
  }

  /// The serialised `TaskActivation`.
  public byte[] payload() {
    return task.activation().payload();
  }

  /// Fencing token of this delivery: a report that carries it is refused once the activation was
  /// delivered again.
  public AttemptToken token() {
    return new AttemptToken(epoch.value(), number);
  }
}
