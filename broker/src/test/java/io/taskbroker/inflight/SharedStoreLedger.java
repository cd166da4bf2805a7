package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a [SharedStoreModel] saw, and the laws that brokers on one store obey together: G1 to G6,
/// and G8 as far as a broker may not take from another what that has. What is found begins with the
/// guarantee.
final class SharedStoreLedger implements EnginesOnSharedStore.Observer {
  private final EnginesOnSharedStore peers;

  /// What workers ever got, the last first.
  private final List<String> known;

  private final Set<Origin> ranOnce = new HashSet<>();
  private final Set<String> completed = new HashSet<>();
  private final Set<String> arrived = new HashSet<>();
  private final Set<String> disposed = new HashSet<>();
  private final Set<String> duplicates = new HashSet<>();
  private final Map<String, Integer> generations = new HashMap<>();
  private final Map<EngineOnSharedStore, Integer> runs = new HashMap<>();

  /// What brokers handed out in this run, by key.
  private final Map<EngineOnSharedStore, Map<Long, InFlightTask>> served = new HashMap<>();

  /// What may run only once, and was given up after it was handed out (G3).
  private final Set<Origin> failed = new HashSet<>();

  /// Which copies of retries workers got first, and when (G4).
  private final Map<String, First> derived = new HashMap<>();

  private record First(Origin origin, long wall) {}

  /// Places that brokers were told to be another's (H10, H11).
  private final Map<EngineOnSharedStore, Set<PartitionKey>> fenced = new HashMap<>();

  /// Rows whose Complete was written down before the broker took them (H3).
  private final Map<EngineOnSharedStore, Set<Long>> finished = new HashMap<>();

  /// What workers had when its partition was about to be given up (H17).
  private final List<Kept> kept = new ArrayList<>();

  /// @param until when the worker's time is over, monotonic milliseconds
  private record Kept(long key, String id, PartitionKey partitionKey, long until) {}

  /// Those of them whose partition was given up in order since.
  private final Map<Long, Kept> handedOver = new HashMap<>();

  SharedStoreLedger(EnginesOnSharedStore peers, List<String> known) {
    this.peers = peers;
    this.known = known;
  }

  @Override
  public void handedOut(EngineOnSharedStore peer, Delivery delivery) {
    known.addFirst(delivery.id());
    InFlightTask task = (InFlightTask) delivery.owner();
    Activation activation = task.activation;
    check(activation.delayUntil() <= peers.wall, "G5", "handed out early", activation);
    check(activation.expiresAt() > peers.wall, "G5", "handed out after its end", activation);
    if (activation.atMostOnce()) {
      Origin origin = activation.origin();
      check(ranOnce.add(origin), "G3", "handed out twice", activation);
      check(!failed.contains(origin), "G3", "handed out, and had failed", activation);
    }
    if (generation(activation.id()) > 0) {
      First first =
          derived.putIfAbsent(activation.id(), new First(activation.origin(), peers.wall));
      check(
          first == null
              || first.origin.equals(activation.origin())
              || peers.wall - first.wall > RigOptions.TOMBSTONE,
          "G4",
          "handed out, and another copy of it was",
          activation);
    }
    check(peers.now < peer.leaseUntil, "H11", "handed out after the lease", activation);
    check(
        !fenced.getOrDefault(peer, Set.of()).contains(PartitionKey.of(activation.origin())),
        "H11",
        "handed out by who was told that it is another's",
        activation);
    check(
        !finished.getOrDefault(peer, Set.of()).contains(task.key),
        "G6",
        "handed out, and its Complete was there when its partition was taken",
        activation);
    Kept before = handedOver.get(task.key);
    check(
        before == null || peers.now >= before.until,
        "G5",
        "handed out while the worker of a former owner has it",
        activation);
    served.computeIfAbsent(peer, _ -> new HashMap<>()).put(task.key, task);
  }

  @Override
  public void noticed(Notice notice, String id) {
    switch (notice) {
      case DISCARDED, EXPIRED -> disposed.add(id);
      case DUPLICATE -> duplicates.add(id);
      case DEADLINE_PASSED, LEASE_PASSED -> overdue(id);
      default -> {}
    }
  }

  /// A broker acts on it that a worker let its time pass; of several rows one does not know which.
  private void overdue(String id) {
    if (wereSeveral(id)) {
      return;
    }
    peers
        .row(id)
        .ifPresent(row -> {
          Activation activation = row.activation();
          check(
              !isReportedComplete(row),
              "G6",
              "taken for overdue, and its Complete is there",
              activation);
          if (activation.atMostOnce()) {
            failed.add(activation.origin());
          }
        });
  }

  private boolean wereSeveral(String id) {
    return peers.disk.history().stream()
            .filter(insert -> insert.row().activation().id().equals(id))
            .count()
        > 1;
  }

  private boolean isReportedComplete(Row row) {
    return peers.disk.reports().stream()
        .anyMatch(report -> report.key() == row.key() && report.status() == Status.COMPLETE);
  }

  @Override
  public void taken(EngineOnSharedStore peer, Log log) {
    PartitionKey partitionKey = PartitionKey.of(log.source);
    fenced.getOrDefault(peer, new HashSet<>()).remove(partitionKey);
    for (Row row : peers.disk.rows()) {
      if (PartitionKey.of(row.activation().origin()).equals(partitionKey)
          && isReportedComplete(row)) {
        finished.computeIfAbsent(peer, _ -> new HashSet<>()).add(row.key());
      }
    }
  }

  @Override
  public void fenced(EngineOnSharedStore peer, List<Change> changes) {
    for (Change change : changes) {
      // May be made after the partition was given up, and it is no one's loss.
      if (!(change instanceof Change.OffsetCommitted)) {
        PartitionKey partitionKey = PartitionKey.of(change);
        for (Log log : peers.logs) {
          if (log.owner == peer && PartitionKey.of(log.source).equals(partitionKey)) {
            throw new AssertionError(
                "G8: %s was fenced of %s, and has it".formatted(peer.name, partitionKey));
          }
        }
        fenced.computeIfAbsent(peer, _ -> new HashSet<>()).add(partitionKey);
      }
    }
  }

  @Override
  public void revoked(EngineOnSharedStore peer, Log log) {
    PartitionKey partitionKey = PartitionKey.of(log.source);
    for (InFlightTask task : served.getOrDefault(peer, Map.of()).values()) {
      if (partitionKey.has(task)
          && task.status() == Status.PROCESSING
          && task.step() == TaskState.Step.STORED) {
        kept.add(new Kept(task.key, task.id(), partitionKey, task.deadline));
      }
    }
  }

  @Override
  public void released(Log log) {
    PartitionKey partitionKey = PartitionKey.of(log.source);
    for (Kept each : kept) {
      if (log.inOrder && each.partitionKey.equals(partitionKey)) {
        handedOver.put(each.key, each);
      }
    }
    kept.removeIf(each -> each.partitionKey.equals(partitionKey));
  }

  /// A worker proved that it does not have it (H9).
  void givenBack(Delivery delivery) {
    ranOnce.remove(((InFlightTask) delivery.owner()).activation.origin());
  }

  void crashed(EngineOnSharedStore peer) {
    runs.merge(peer, 1, Integer::sum);
    served.remove(peer);
    fenced.remove(peer);
    finished.remove(peer);
  }

  /// Reports to a broker, and checks, when that answers, that the store knows (G2).
  void report(EngineOnSharedStore peer, String id, Status status) {
    if (status == Status.COMPLETE) {
      completed.add(id);
    }
    kept.removeIf(each -> each.id.equals(id));
    handedOver.values().removeIf(each -> each.id.equals(id));
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
    boolean several = wereSeveral(id);
    for (Row row : peers.disk.rows()) {
      if (row.activation().id().equals(id) && row.forwardTo() == null && !several) {
        check(isReportedComplete(row), "G2", "there, and its Complete answered", row.activation());
      }
    }
  }

  void arrived(OutboxRecord record) {
    arrived.add(record.id());
  }

  void retried(String id, String retryId) {
    generations.put(retryId, generation(id) + 1);
  }

  int generation(String id) {
    return generations.getOrDefault(id, 0);
  }

  void checkDepths() {
    for (EngineOnSharedStore peer : peers.peers) {
      if (peer.isUp()) {
        Engine.Depths depths = peer.depths();
        if (depths.pending() < 0
            || depths.delayed() < 0
            || depths.handedOut() < 0
            || depths.leaving() < 0
            || depths.memoryBytes() < 0
            || peer.engine().outstanding() < 0) {
          throw new AssertionError("Less than nothing: " + peer.name + " " + depths);
        }
      }
    }
  }

  /// Every record was stored once or was a duplicate or over, and every row ended for a reason; if
  /// it went nowhere, its id is remembered if that is its kind (H8).
  void checkEnd(List<Log> logs) {
    Set<Origin> stored = new HashSet<>();
    for (Change.Insert insert : peers.disk.history()) {
      Activation activation = insert.row().activation();
      check(stored.add(activation.origin()), "G1", "stored twice", activation);
      check(
          completed.contains(activation.id())
              || arrived.contains(activation.id())
              || disposed.contains(activation.id()),
          "G2",
          "lost on the way out",
          activation);
      check(
          !activation.leavesTombstone()
              || arrived.contains(activation.id())
              || peers.disk.isRemembered(activation.id()),
          "G4",
          "done, and its id is not remembered",
          activation);
    }
    for (Log log : logs) {
      for (Command.IngestedRecord arrival : log.records) {
        Activation activation = arrival.activation();
        check(
            stored.contains(activation.origin())
                || duplicates.contains(activation.id())
                || disposed.contains(activation.id()),
            "G1",
            "lost on the way in",
            activation);
      }
    }
    for (EngineOnSharedStore peer : peers.peers) {
      if (peer.engine().outstanding() != 0) {
        throw new AssertionError("G2: " + peer.engine().outstanding() + " changes are not settled");
      }
    }
  }

  private static void check(boolean holds, String rule, String what, Activation activation) {
    if (!holds) {
      throw new AssertionError(
          "%s: %s was %s: %s".formatted(rule, activation.id(), what, activation.origin()));
    }
  }
}
