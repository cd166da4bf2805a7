package io.taskbroker.deliver;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Round-robin ring of the connections of one application that accept calls now or once connected.
/// Used by the event loop.
final class ConnectionRing {
  /// Number of connections compared per call.
  private static final int COMPARED = 16;

  /// Part of a connection's calls by which it may exceed the others: calls in a row on one socket
  /// are written together.
  private static final int SLACK = 4;

  private final List<WorkerConnection> connections = new ArrayList<>();
  private int next;
  private int connecting;

  /// Connection that was chosen last, and the number of calls for which it is chosen again.
  private @Nullable WorkerConnection chosen;

  private int again;

  int size() {
    return connections.size();
  }

  /// Number of connections still connecting.
  int connecting() {
    return connecting;
  }

  boolean has(WorkerConnection connection) {
    return connections.contains(connection);
  }

  /// Adds a connection that is connecting.
  void add(WorkerConnection connection) {
    connections.add(connection);
    connecting++;
    connection.target.connections++;
    connection.target.connecting++;
  }

  /// Marks a connection as established.
  void established(WorkerConnection connection) {
    connecting--;
    connection.target.connecting--;
    connection.target.reached();
  }

  /// @return false if it was not in the ring
  boolean remove(WorkerConnection connection) {
    boolean removed = connections.remove(connection);
    if (chosen == connection) {
      chosen = null;
    }
    if (removed) {
      connection.target.connections--;
      if (!connection.isEstablished()) {
        connecting--;
        connection.target.connecting--;
      }
    }
    return removed;
  }

  /// Snapshot of all connections.
  List<WorkerConnection> all() {
    return List.copyOf(connections);
  }

  /// Connection with the fewest calls among the next ones in turn, and then again until it has a
  /// quarter more; a paused one only if all are paused, and then the one paused first; null if none
  /// is ready.
  @Nullable WorkerConnection choose(long now) {
    if (again > 0 && chosen != null && chosen.isReady() && !chosen.isPaused(now)) {
      again--;
      return chosen;
    }
    WorkerConnection best = null;
    WorkerConnection paused = null;
    int size = connections.size();
    int at = next;
    int following = next;
    for (int i = 0; i < size && (i < COMPARED || best == null); i++, at++) {
      if (at >= size) {
        at = 0;
      }
      WorkerConnection each = connections.get(at);
      if (!each.isReady()) {
        continue;
      }
      if (each.isPaused(now)) {
        if (paused == null || each.pausedAt() - paused.pausedAt() < 0) {
          paused = each;
        }
      } else if (best == null || each.calls() < best.calls()) {
        best = each;
        following = at + 1;
        if (each.calls() == 0) {
          break;
        }
      }
    }
    next = following;
    chosen = best;
    again = best == null ? 0 : best.calls() / SLACK;
    return best == null ? paused : best;
  }

  /// Whether a connection is ready and not paused.
  boolean takesCalls(long now) {
    for (WorkerConnection each : connections) {
      if (each.isReady() && !each.isPaused(now)) {
        return true;
      }
    }
    return false;
  }

  /// Connection that has exceeded its maximum age for the longest time; null if there is none.
  @Nullable WorkerConnection aged(long now) {
    WorkerConnection aged = null;
    for (WorkerConnection each : connections) {
      if (now - each.retireAt >= 0 && (aged == null || each.retireAt - aged.retireAt < 0)) {
        aged = each;
      }
    }
    return aged;
  }

  /// Connection due first for replacement, of the address with the most connections; null if none
  /// is ready.
  @Nullable WorkerConnection surplus() {
    WorkerConnection surplus = null;
    for (WorkerConnection each : connections) {
      if (each.isReady() && (surplus == null || isMoreSurplus(each, surplus))) {
        surplus = each;
      }
    }
    return surplus;
  }

  private static boolean isMoreSurplus(WorkerConnection one, WorkerConnection other) {
    int more = one.target.connections - other.target.connections;
    return more == 0 ? one.retireAt - other.retireAt < 0 : more > 0;
  }
}
