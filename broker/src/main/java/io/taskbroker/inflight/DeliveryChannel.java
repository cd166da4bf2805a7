package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.WaitingReason;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Channel by which tasks reach workers. The dispatcher delivers while a channel has credits, and
/// knows nothing else of it. A channel is registered with the [ApplicationQueue] that it serves, or
/// serves one request. Not thread-safe: only the engine calls it.
///
/// A channel that [#confirms] reports the end of each delivery by [Command.PushEnded]: accepted,
/// refused or lost. With any other channel a delivery counts as accepted.

interface DeliveryChannel {
  /// Number of further tasks that it accepts now.
  ///
  /// @param now monotonic milliseconds
  int credits(long now);

  /// Why it accepts no task now; null if it has credits. Changes nothing.
  ///
  /// @param now monotonic milliseconds
  default WaitingReason.@Nullable Kind closedBy(long now) {
    return credits(now) > 0 ? null : WaitingReason.Kind.NO_CREDITS;
  }

  /// Whether the channel accepts this task. Asked only while it has credits.
  boolean accepts(InFlightTask task);

  /// The namespaces whose tasks it accepts; empty for all.
  default List<String> namespaces() {
    return List.of();
  }

  /// Reserves a credit for a task. [#deliver] follows once the task's status is durable, or
  /// [#release] if the task cannot be delivered after all.
  void reserve(InFlightTask task);

  /// Releases a reservation.
  void release();

  /// Delivers a reserved task.
  void deliver(Delivery delivery);

  /// Name of the worker, for people; empty if it is not known.
  default String worker() {
    return "";
  }

  /// Whether the worker confirms each delivery.
  boolean confirms();

  /// Whether the worker names what it has after the broker has restarted (docs/protocol.md).
  default boolean namesTasks() {
    return false;
  }

  /// Whether a delivery would not arrive.
  boolean isClosed();
}
