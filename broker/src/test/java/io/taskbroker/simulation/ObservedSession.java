package io.taskbroker.simulation;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.WorkerSession;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Stream of a worker in a broker process, with what the ledger knows of it.
final class ObservedSession extends ForwardingSession {
  final SimulatedProcess process;
  final Link link;

  /// Attempts that the broker sent or that the worker named here, without those whose results came.
  final Map<AttemptToken, BrokerHistory.Line> held = new HashMap<>();

  /// Attempts that the worker was told to stop, because a client wants it or for another reason.
  final Set<AttemptToken> cancelled = new HashSet<>();

  final Set<AttemptToken> superseded = new HashSet<>();

  boolean closed;

  /// Since when it has held tasks.
  long heldSince;

  ObservedSession(SimulatedProcess process, Link link, WorkerSession session) {
    super(session);
    this.process = process;
    this.link = link;
  }

  /// An attempt that it has.
  void hold(AttemptToken token, BrokerHistory.Line line) {
    if (held.isEmpty()) {
      heldSince = process.now();
    }
    held.put(token, line);
  }

  @Override
  public void deliver(Delivery delivery) {
    process.broker.ledger.streams.delivered(this, delivery);
    super.deliver(delivery);
  }

  @Override
  public void cancel(String id, AttemptToken token, boolean requested) {
    process.broker.ledger.streams.cancelled(this, id, token, requested);
    super.cancel(id, token, requested);
  }

  static @Nullable ObservedSession of(@Nullable WorkerSession session) {
    return session instanceof ObservedSession observed ? observed : null;
  }
}
