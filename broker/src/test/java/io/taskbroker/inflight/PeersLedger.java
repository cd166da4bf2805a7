package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Peers.Log;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a [PeersModel] saw, and the laws that brokers on one store obey together: G1 to G5.
final class PeersLedger implements Peers.Observer {
  private final Peers peers;

  /// What workers ever got, the last first.
  private final List<String> known;

  private final Set<Origin> ranOnce = new HashSet<>();
  private final Set<String> completed = new HashSet<>();
  private final Set<String> arrived = new HashSet<>();
  private final Set<String> disposed = new HashSet<>();
  private final Set<String> duplicates = new HashSet<>();
  private final Map<String, Integer> generations = new HashMap<>();
  private final Map<Peer, Integer> runs = new HashMap<>();

  PeersLedger(Peers peers, List<String> known) {
    this.peers = peers;
    this.known = known;
  }

  @Override
  public void handedOut(Peer peer, Delivery delivery) {
    known.addFirst(delivery.id());
    Entry entry = (Entry) delivery.owner();
    Activation activation = entry.activation;
    check(activation.delayUntil() <= peers.wall, "handed out early", activation);
    check(activation.expiresAt() > peers.wall, "handed out after its end", activation);
    if (activation.atMostOnce()) {
      check(ranOnce.add(activation.origin()), "handed out twice", activation);
    }
  }

  @Override
  public void noticed(Notice notice, String id) {
    switch (notice) {
      case DISCARDED, EXPIRED -> disposed.add(id);
      case DUPLICATE -> duplicates.add(id);
      default -> {}
    }
  }

  /// A worker proved that it does not have it (H9).
  void givenBack(Delivery delivery) {
    ranOnce.remove(((Entry) delivery.owner()).activation.origin());
  }

  void crashed(Peer peer) {
    runs.merge(peer, 1, Integer::sum);
  }

  /// Reports to a broker, and checks, when that answers, that the store knows (G2).
  void report(Peer peer, String id, Status status) {
    if (status == Status.COMPLETE) {
      completed.add(id);
    }
    int run = runs.getOrDefault(peer, 0);
    peer.tell(
        new Command.Report(
            List.of(new Command.Update(id, status, -1, -1)),
            null,
            new Command.ReportReply() {
              private boolean answered;

              @Override
              public void done(@Nullable Delivery next) {
                once();
                if (runs.getOrDefault(peer, 0) != run) {
                  throw new AssertionError("A reply of an earlier run was answered");
                }
                if (status == Status.COMPLETE) {
                  checkDurable(id);
                }
              }

              @Override
              public void unavailable(String why) {
                once();
              }

              private void once() {
                if (answered) {
                  throw new AssertionError("Answered twice: " + id);
                }
                answered = true;
              }
            }));
  }

  /// No row of the id is to run again without its broker having been told; one of several may.
  private void checkDurable(String id) {
    boolean several =
        peers.disk.history().stream()
                .filter(insert -> insert.row().activation().id().equals(id))
                .count()
            > 1;
    for (Row row : peers.disk.rows()) {
      boolean told =
          peers.disk.reports().stream()
              .anyMatch(report -> report.key() == row.key() && report.status() == Status.COMPLETE);
      if (row.activation().id().equals(id) && row.leaving() == null && !told && !several) {
        throw new AssertionError("Complete of " + id + " was answered, and it is there");
      }
    }
  }

  void arrived(Departure departure) {
    arrived.add(departure.id());
  }

  void retried(String id, String retryId) {
    generations.put(retryId, generation(id) + 1);
  }

  int generation(String id) {
    return generations.getOrDefault(id, 0);
  }

  void checkDepths() {
    for (Peer peer : peers.peers) {
      if (peer.isUp()) {
        Inflight.Depths depths = peer.depths();
        if (depths.pending() < 0
            || depths.delayed() < 0
            || depths.handedOut() < 0
            || depths.leaving() < 0
            || depths.residentBytes() < 0
            || peer.engine().outstanding() < 0) {
          throw new AssertionError("Less than nothing: " + peer.name + " " + depths);
        }
      }
    }
  }

  /// Every record was stored once or was a duplicate or over, and every row ended for a reason.
  void checkEnd(List<Log> logs) {
    Set<Origin> stored = new HashSet<>();
    for (Change.Insert insert : peers.disk.history()) {
      Activation activation = insert.row().activation();
      check(stored.add(activation.origin()), "stored twice", activation);
      check(
          completed.contains(activation.id())
              || arrived.contains(activation.id())
              || disposed.contains(activation.id()),
          "lost on the way out",
          activation);
    }
    for (Log log : logs) {
      for (Command.Arrival arrival : log.records) {
        Activation activation = arrival.activation();
        check(
            stored.contains(activation.origin())
                || duplicates.contains(activation.id())
                || disposed.contains(activation.id()),
            "lost on the way in",
            activation);
      }
    }
    for (Peer peer : peers.peers) {
      if (peer.engine().outstanding() != 0) {
        throw new AssertionError(peer.engine().outstanding() + " changes are not settled");
      }
    }
  }

  private static void check(boolean holds, String what, Activation activation) {
    if (!holds) {
      throw new AssertionError(
          "%s was %s: %s".formatted(activation.id(), what, activation.origin()));
    }
  }
}
