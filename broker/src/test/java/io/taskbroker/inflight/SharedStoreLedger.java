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

/// Observations of a [SharedStoreModel], and the invariants of brokers on one store: G1 to G6, and
/// G8 in that a broker never takes a task that another one has. Each finding starts with its
/// guarantee.
final class SharedStoreLedger implements EnginesOnSharedStore.Observer {
  private final EnginesOnSharedStore peers;

  /// All deliveries to workers, the latest first.
  private final List<String> known;

  private final Set<Origin> ranOnce = new HashSet<>();
  private final Set<String> completed = new HashSet<>();
  private final Set<String> arrived = new HashSet<>();
  private final Set<String> disposed = new HashSet<>();
  private final Set<String> duplicates = new HashSet<>();
  private final Map<String, Integer> generations = new HashMap<>();
  private final Map<EngineOnSharedStore, Integer> runs = new HashMap<>();

  /// Deliveries of the brokers since their start, by key.
  private final Map<EngineOnSharedStore, Map<Long, InFlightTask>> served = new HashMap<>();

  /// At-most-once tasks that failed after their delivery (G3).
  private final Set<Origin> failed = new HashSet<>();

  /// Which copies of retries workers received first, and when (G4).
  private final Map<String, First> derived = new HashMap<>();

  private record First(Origin origin, long wall) {}

  /// Partitions that brokers were informed to belong to another (H10, H11).
  private final Map<EngineOnSharedStore, Set<PartitionKey>> fenced = new HashMap<>();

  /// Rows whose Complete was recorded before the broker acquired them (H3).
  private final Map<EngineOnSharedStore, Set<Long>> finished = new HashMap<>();

  /// Tasks of workers when their partition was about to be released (H17).
  private final List<Kept> kept = new ArrayList<>();

  /// @param until when the worker's deadline passes, monotonic milliseconds
  private record Kept(long key, String id, PartitionKey partitionKey, long until) {}

  /// Those of them whose partition was released in order since.
  private final Map<Long, Kept> handedOver = new HashMap<>();

  SharedStoreLedger(EnginesOnSharedStore peers, List<String> known) {
    this.peers = peers;
    this.known = known;
  }

  @Override
  public void handedOut(EngineOnSharedStore peer, Delivery delivery) {
    known.addFirst(delivery.id());
    InFlightTask task = (InFlightTask) delivery.task();
    Activation activation = task.activation;
    check(activation.delayUntil() <= peers.wall, "G5", "delivered early", activation);
    check(activation.expiresAt() > peers.wall, "G5", "delivered after its expiry", activation);
    if (activation.atMostOnce()) {
      Origin origin = activation.origin();
      check(ranOnce.add(origin), "G3", "delivered twice", activation);
      check(!failed.contains(origin), "G3", "delivered after it failed", activation);
    }
    if (generation(activation.id()) > 0) {
      First first =
          derived.putIfAbsent(activation.id(), new First(activation.origin(), peers.wall));
      check(
          first == null
              || first.origin.equals(activation.origin())
              || peers.wall - first.wall > RigOptions.TOMBSTONE,
          "G4",
          "delivered, and so was another copy of it",
          activation);
    }
    check(peers.now < peer.leaseUntil, "H11", "delivered after the lease", activation);
    check(
        !fenced.getOrDefault(peer, Set.of()).contains(PartitionKey.of(activation.origin())),
        "H11",
        "delivered by a broker that was informed of the loss",
        activation);
    check(
        !finished.getOrDefault(peer, Set.of()).contains(task.key),
        "G6",
        "delivered, although its Complete was recorded before the acquisition",
        activation);
    Kept before = handedOver.get(task.key);
    check(
        before == null || peers.now >= before.until,
        "G5",
        "delivered while the worker of a former owner has it",
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

  /// Checks a passed deadline; of several rows of one id it is unknown which one is meant.
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
              "treated as overdue, although its Complete is recorded",
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
      // It may be made after the partition was released, and its loss has no effect.
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

  /// A worker proved that it does not have the task (H9).
  void notDelivered(Delivery delivery) {
    ranOnce.remove(((InFlightTask) delivery.task()).activation.origin());
  }

  void crashed(EngineOnSharedStore peer) {
    runs.merge(peer, 1, Integer::sum);
    served.remove(peer);
    fenced.remove(peer);
    finished.remove(peer);
  }

  /// Reports to a broker, and checks at the answer that the store has the report (G2).
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
                  throw new AssertionError("A reply of an earlier process was answered");
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

  /// No row of the id may run again unless its broker was informed; one of several may.
  private void checkDurable(String id) {
    boolean several = wereSeveral(id);
    for (Row row : peers.disk.rows()) {
      if (row.activation().id().equals(id) && row.forwardTo() == null && !several) {
        check(
            isReportedComplete(row),
            "G2",
            "row exists, although its Complete was answered",
            row.activation());
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
            || depths.forwarding() < 0
            || depths.memoryBytes() < 0
            || peer.engine().outstanding() < 0) {
          throw new AssertionError("Negative figures: " + peer.name + " " + depths);
        }
      }
    }
  }

  /// Every record was stored once, was a duplicate, or expired, and every row ended for a reason. A
  /// row that was not produced leaves a tombstone if its kind does (H8).
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
          "lost after it was stored",
          activation);
      check(
          !activation.leavesTombstone()
              || arrived.contains(activation.id())
              || peers.disk.isRemembered(activation.id()),
          "G4",
          "done without a tombstone",
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
            "lost before it was stored",
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
