package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// Observations of an [EngineModel], and its invariants: G1 to G5 and the counters.
final class ModelLedger {
  private final EngineRig rig;
  private final Set<Origin> ranOnce = new HashSet<>();
  private final Set<Origin> elsewhere = new HashSet<>();
  private final Set<String> completed = new HashSet<>();
  private final Set<String> arrived = new HashSet<>();
  private final Set<String> quarantined = new HashSet<>();
  private final Map<String, Integer> generations = new HashMap<>();
  private int run;

  ModelLedger(EngineRig rig) {
    this.rig = rig;
  }

  void crash() {
    run++;
  }

  /// Checks a delivery at the moment of it.
  void handedOut(Delivery delivery) {
    InFlightTask task = (InFlightTask) delivery.task();
    Activation activation = task.activation;
    check(activation.delayUntil() <= rig.wall, "delivered early", activation);
    check(activation.expiresAt() > rig.wall, "delivered after its expiry", activation);
    check(
        rig.rules().judge(activation) instanceof Rules.Decision.Kept,
        "delivered against the rules",
        activation);
    Row row = rig.store.row(task.key);
    check(row != null && row.forwardTo() == null, "delivered without a row", activation);
    Long tombstone = rig.store.tombstones().get(Ids.fingerprint(activation.id()));
    check(
        tombstone == null || tombstone <= rig.wall, "delivered despite its tombstone", activation);
    if (activation.atMostOnce() && row != null) {
      check(row.committed(), "delivered without a confirmed offset", activation);
      check(row.status().isHandedOut(), "delivered without a written status", activation);
      check(ranOnce.add(activation.origin()), "delivered twice", activation);
      check(!elsewhere.contains(activation.origin()), "delivered by two brokers", activation);
    }
  }

  /// A worker proved that it does not have the task (H9).
  void notDelivered(Delivery delivery) {
    ranOnce.remove(((InFlightTask) delivery.task()).activation.origin());
  }

  /// Another broker reads on from the committed offset, for a while.
  void runElsewhere(RigPartition partition, SplittableRandom random) {
    long from = Math.max(0, partition.committed);
    long to = from + random.nextLong(partition.end() - from + 1);
    for (long offset = from; offset < to; offset++) {
      var origin = new Origin(partition.source.topic(), partition.source.partition(), offset);
      if (ranOnce.contains(origin)) {
        throw new AssertionError("Delivered, and read by another broker: " + origin);
      }
      elsewhere.add(origin);
    }
    if (to > from) {
      partition.committed = to;
    }
  }

  /// A reply that checks, when it is answered, that the report is durable (G2).
  Command.ReportReply watch(List<Command.Update> updates, RigReply reply) {
    Map<String, Long> keys = new HashMap<>();
    for (Command.Update update : updates) {
      if (update.status() == Status.COMPLETE) {
        completed.add(update.id());
        keys.put(update.id(), rig.store.keyOf(update.id()));
      }
    }
    int reportedIn = run;
    return new Command.ReportReply() {
      @Override
      public void done(@Nullable Delivery next) {
        if (reportedIn != run) {
          throw new AssertionError("A reply of an earlier process was answered");
        }
        keys.forEach((id, key) -> {
          Row row = rig.store.row(key);
          if (row != null && row.forwardTo() == null) {
            throw new AssertionError("Complete of " + id + " was answered, but its row exists");
          }
        });
        reply.done(next);
        if (reply.answers > 1) {
          throw new AssertionError("Answered twice: " + updates);
        }
      }

      @Override
      public void unavailable(String why) {
        reply.unavailable(why);
      }
    };
  }

  void retried(String id, String retryId) {
    generations.put(retryId, generation(id) + 1);
  }

  int generation(String id) {
    return generations.getOrDefault(id, 0);
  }

  void arrived(OutboxRecord record) {
    arrived.add(record.id());
  }

  void refused(OutboxRecord record) {
    quarantined.add(record.id());
  }

  void checkDepths() {
    Engine.Depths depths = rig.depths();
    if (depths.pending() < 0
        || depths.delayed() < 0
        || depths.handedOut() < 0
        || depths.forwarding() < 0
        || depths.memoryBytes() < 0
        || rig.engine().outstanding() < 0) {
      throw new AssertionError("Negative figures: " + depths);
    }
  }

  /// Every consumed record ended in one way, or is quarantined on disk.
  void checkEnd(List<RigPartition> partitions) {
    if (!rig.store.missed.isEmpty()) {
      throw new AssertionError("Changes of missing rows: " + rig.store.missed);
    }
    if (rig.engine().outstanding() != 0) {
      throw new AssertionError(rig.engine().outstanding() + " changes are not settled");
    }
    for (Row row : rig.store.rows()) {
      check(quarantined.contains(row.activation().id()), "left over", row.activation());
    }
    Set<Origin> origins = new HashSet<>();
    Set<Long> forwarded = new HashSet<>();
    for (Change change : rig.store.history) {
      switch (change) {
        case Change.Insert(Row row, _) -> {
          origins.add(row.activation().origin());
          if (row.forwardTo() != null) {
            forwarded.add(row.key());
          }
        }
        case Change.Forward forward -> forwarded.add(forward.key());
        case Change.Delete delete -> checkDelete(delete, forwarded.contains(delete.key()));
        default -> {}
      }
    }
    Set<String> disposed = new HashSet<>(rig.noticed(Notice.EXPIRED));
    disposed.addAll(rig.noticed(Notice.DUPLICATE));
    disposed.addAll(rig.noticed(Notice.KILLED_BY_NAME));
    disposed.addAll(rig.noticed(Notice.KILLED_BY_SELECTOR));
    for (RigPartition partition : partitions) {
      for (Activation activation : partition.activations()) {
        check(
            origins.contains(activation.origin())
                || elsewhere.contains(activation.origin())
                || disposed.contains(activation.id()),
            "lost on the way in",
            activation);
      }
    }
  }

  /// A row is deleted because it was completed, produced, or discarded by a rule.
  private void checkDelete(Change.Delete delete, boolean left) {
    String id = delete.id();
    boolean byRule =
        rig.noticed(Notice.DISCARDED).contains(id)
            || rig.noticed(Notice.EXPIRED).contains(id)
            || rig.noticed(Notice.SWITCHED_OFF).contains(id);
    boolean byReplay = quarantined.contains(id);
    if (!completed.contains(id) && !(left && arrived.contains(id)) && !byRule && !byReplay) {
      throw new AssertionError("Deleted without a reason: " + delete);
    }
  }

  private static void check(boolean holds, String what, Activation activation) {
    if (!holds) {
      throw new AssertionError(
          "%s was %s: %s".formatted(activation.id(), what, activation.origin()));
    }
  }
}
