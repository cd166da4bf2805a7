package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.SharedInMemoryStore;
import io.taskbroker.store.WriteBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// Faults that can be planted between brokers and their shared store: each breaks one rule of the
/// histories of several brokers. Broker and store are the same in all of them.
enum SharedStoreBug {
  NONE("", ""),

  REPORT_NOT_WRITTEN(
      "H3", "a report on a task of another broker is answered without being recorded") {
    @Override
    List<Boolean> report(SharedInMemoryStore store, List<RemoteReport> reports) {
      return Collections.nCopies(reports.size(), true);
    }
  },

  DEADLINE_UNASKED("H3", "a deadline counts without a check for reports of other brokers") {
    @Override
    List<RemoteReport> reports(SharedInMemoryStore store, List<Long> keys) {
      return List.of();
    }
  },

  REPORTS_NOT_TAKEN("H3", "a new owner does not read the recorded reports of its partition") {
    @Override
    List<RemoteReport> reports(SharedInMemoryStore store, SourcePartition partition) {
      return List.of();
    }
  },

  UNFENCED("H10", "a commit of a former owner is applied") {
    @Override
    List<ChangeOutcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      return peer.store().commitUnfenced(batch);
    }
  },

  READ_TOO_SOON(
      "H10", "a new owner reads its partition before the last commit of the former owner") {
    @Override
    void whileTaken(EngineOnSharedStore former) {
      former.commitUnfenced();
    }
  },

  FENCED_TAKEN_FOR_DONE("H10", "fenced changes are reported as committed") {
    @Override
    List<ChangeOutcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      List<ChangeOutcome> outcomes = new ArrayList<>(peer.store().commit(batch));
      Collections.replaceAll(outcomes, ChangeOutcome.FENCED, ChangeOutcome.APPLIED);
      return outcomes;
    }
  },

  GENERATION_IGNORED("H11", "a former owner takes a partition from its owner") {
    @Override
    Optional<Ownership.Taken> retake(
        SharedInMemoryStore store,
        SourcePartition partition,
        int generation,
        EnginesOnSharedStore peers) {
      return store.take(partition, peers.nextGeneration());
    }
  },

  FENCED_KEPT("H11", "a fenced broker keeps its tasks of the partition") {
    @Override
    Command heard(Command command) {
      return command instanceof Command.Fenced(List<Change> changes)
          ? new Command.Fenced(changes.stream().map(SharedStoreBug::ofNoConsequence).toList())
          : command;
    }
  },

  LEASE_ENDLESS("H11", "deliveries go on after the lease ended") {
    @Override
    Command heard(Command command) {
      return command instanceof Command.LeaseRenewed
          ? new Command.LeaseRenewed(Long.MAX_VALUE)
          : command;
    }
  },

  TOMBSTONES_NOT_TAKEN("H8", "a new owner does not load the tombstones of its partition") {
    @Override
    List<Tombstone> tombstones(SharedInMemoryStore store, SourcePartition partition, long now) {
      return List.of();
    }
  },

  PARKED_FORGOTTEN("H8", "a new owner does not learn which parked rows are retries") {
    @Override
    Command heard(Command command) {
      return command instanceof Command.PartitionLoaded page
          ? new Command.PartitionLoaded(
              page.partition(),
              page.rows(),
              page.parked().stream().map(SharedStoreBug::unremembered).toList(),
              page.tombstones(),
              page.reports(),
              page.inOrder())
          : command;
    }
  },

  WATERMARK_NOT_TAKEN("H1", "a new owner reads on at the offset committed in Kafka") {
    @Override
    long watermark(SharedInMemoryStore.Disk disk, SourcePartition partition) {
      return 0;
    }
  },

  ONCE_UNWRITTEN("H2", "an at-most-once task is delivered before its status is durable") {
    @Override
    List<ChangeOutcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      return commitWithout(
          peer,
          batch,
          change ->
              change instanceof Change.UpdateStatus update
                  && update.owner() instanceof InFlightTask task
                  && task.activation.atMostOnce());
    }
  },

  HAND_OFF_UNWRITTEN(
      "H17", "the status of running tasks is not written when their partition is released") {
    @Override
    List<ChangeOutcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      return commitWithout(
          peer,
          batch,
          change ->
              change instanceof Change.UpdateStatus
                  && peer.undrained.stream()
                      .anyMatch(
                          partition -> PartitionKey.of(partition).equals(PartitionKey.of(change))));
    }
  };

  /// The history of its rule.
  final String history;

  final String what;

  SharedStoreBug(String history, String what) {
    this.history = history;
    this.what = what;
  }

  List<Boolean> report(SharedInMemoryStore store, List<RemoteReport> reports) {
    return store.report(reports);
  }

  List<RemoteReport> reports(SharedInMemoryStore store, List<Long> keys) {
    return store.reports(keys);
  }

  List<RemoteReport> reports(SharedInMemoryStore store, SourcePartition partition) {
    return store.reports(partition);
  }

  List<Tombstone> tombstones(SharedInMemoryStore store, SourcePartition partition, long now) {
    return store.tombstones(partition, now);
  }

  List<ChangeOutcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
    return peer.store().commit(batch);
  }

  /// @param generation the generation in which the broker acquired the partition
  Optional<Ownership.Taken> retake(
      SharedInMemoryStore store,
      SourcePartition partition,
      int generation,
      EnginesOnSharedStore peers) {
    return store.take(partition, generation);
  }

  long watermark(SharedInMemoryStore.Disk disk, SourcePartition partition) {
    return disk.watermark(partition).next();
  }

  /// Action of the former owner after the new owner read the partition.
  void whileTaken(EngineOnSharedStore former) {}

  /// The command that an engine receives in place of another.
  Command heard(Command command) {
    return command;
  }

  /// A change that is pending like this one, and whose loss has no effect.
  private static Change ofNoConsequence(Change change) {
    return change instanceof Change.AdvanceWatermark
        ? change
        : new Change.OffsetCommitted(new SourcePartition("", "", "", "", 0), 0, null);
  }

  private static ParkedRow unremembered(ParkedRow row) {
    return new ParkedRow(
        row.key(),
        row.id(),
        row.application(),
        row.origin(),
        row.parkedUntil(),
        false,
        row.priority());
  }

  /// Commits the rest of the batch, and reports all of it as committed.
  private static List<ChangeOutcome> commitWithout(
      EngineOnSharedStore peer, WriteBatch batch, Predicate<Change> isForgotten) {
    List<Change> rest = batch.changes().stream().filter(isForgotten.negate()).toList();
    var outcomes = new ArrayDeque<>(peer.store().commit(new WriteBatch(batch.number(), rest)));
    return batch.changes().stream()
        .map(change -> isForgotten.test(change) ? ChangeOutcome.APPLIED : outcomes.remove())
        .toList();
  }
}
