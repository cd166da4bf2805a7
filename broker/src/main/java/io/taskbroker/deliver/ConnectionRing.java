package io.taskbroker.deliver;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Connections of one application that calls may be sent on, or soon, in the order of their turns.
/// Used by the event loop.
final class ConnectionRing {
  /// How many connections are compared for a call.
  private static final int COMPARED = 16;

  private final List<WorkerConnection> connections = new ArrayList<>();
  private int next;
  private int connecting;

  int size() {
    return connections.size();
  }

  /// How many of them are being made.
  int connecting() {
    return connecting;
  }

  boolean has(WorkerConnection connection) {
    return connections.contains(connection);
  }

  /// Takes one that is being made.
  void add(WorkerConnection connection) {
    connections.add(connection);
    connecting++;
    connection.target.connections++;
    connection.target.connecting++;
  }

  /// One that was being made is ready.
  void made(WorkerConnection connection) {
    connecting--;
    connection.target.connecting--;
    connection.target.reached();
  }

  /// @return false if it was none of them
  boolean remove(WorkerConnection connection) {
    boolean removed = connections.remove(connection);
    if (removed) {
      connection.target.connections--;
      if (!connection.isMade()) {
        connecting--;
        connection.target.connecting--;
      }
    }
    return removed;
  }

  /// All of them, as they are now.
  List<WorkerConnection> all() {
    return List.copyOf(connections);
  }

  /// The connection with the fewest calls, of some that are next in turn; one that is paused only
  /// if all are, and then the one that was so first; null if none is ready.
  @Nullable WorkerConnection choose(long now) {
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
    return best == null ? paused : best;
  }

  /// Whether one is ready that is not paused.
  boolean takesCalls(long now) {
    for (WorkerConnection each : connections) {
      if (each.isReady() && !each.isPaused(now)) {
        return true;
      }
    }
    return false;
  }

  /// The one that has its age for the longest time; null if none has.
  @Nullable WorkerConnection aged(long now) {
    WorkerConnection aged = null;
    for (WorkerConnection each : connections) {
      if (now - each.retireAt >= 0 && (aged == null || each.retireAt - aged.retireAt < 0)) {
        aged = each;
      }
    }
    return aged;
  }

  /// Of the address with the most connections the one that would be replaced first; null if none is
  /// ready.
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
