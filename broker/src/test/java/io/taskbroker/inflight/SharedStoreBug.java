package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore.Outcome;
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

/// Bugs that can be planted between brokers and the store that they share: what each rule of the
/// histories of several brokers is there for. The broker and the store are the same in all of them.
enum SharedStoreBug {
  NONE("", ""),

  REPORT_NOT_WRITTEN(
      "H3", "a report of what another broker has is answered, and not written down") {
    @Override
    List<Boolean> report(SharedInMemoryStore store, List<RemoteReport> reports) {
      return Collections.nCopies(reports.size(), true);
    }
  },

  DEADLINE_UNASKED("H3", "a deadline counts whatever other brokers were told") {
    @Override
    List<RemoteReport> reports(SharedInMemoryStore store, List<Long> keys) {
      return List.of();
    }
  },

  REPORTS_NOT_TAKEN("H3", "who takes a partition does not read what others were told of it") {
    @Override
    List<RemoteReport> reports(SharedInMemoryStore store, SourcePartition partition) {
      return List.of();
    }
  },

  UNFENCED("H10", "a commit of a former owner is applied") {
    @Override
    List<Outcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      return peer.store().commitUnfenced(batch);
    }
  },

  READ_TOO_SOON(
      "H10", "who takes a partition reads it before the last commit of its owner landed") {
    @Override
    void whileTaken(EngineOnSharedStore former) {
      former.commitUnfenced();
    }
  },

  FENCED_TAKEN_FOR_DONE("H10", "what was fenced is told as committed") {
    @Override
    List<Outcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      List<Outcome> outcomes = new ArrayList<>(peer.store().commit(batch));
      Collections.replaceAll(outcomes, Outcome.FENCED, Outcome.APPLIED);
      return outcomes;
    }
  },

  GENERATION_IGNORED("H11", "who had a partition takes it from who has it now") {
    @Override
    Optional<Ownership.Taken> retake(
        SharedInMemoryStore store,
        SourcePartition partition,
        int generation,
        EnginesOnSharedStore peers) {
      return store.take(partition, peers.nextGeneration());
    }
  },

  FENCED_KEPT("H11", "a broker that was fenced keeps what it has of the partition") {
    @Override
    Command heard(Command command) {
      return command instanceof Command.Fenced(List<Change> changes)
          ? new Command.Fenced(changes.stream().map(SharedStoreBug::ofNoConsequence).toList())
          : command;
    }
  },

  LEASE_ENDLESS("H11", "a lease that has ended does not stop what is handed out") {
    @Override
    Command heard(Command command) {
      return command instanceof Command.LeaseRenewed
          ? new Command.LeaseRenewed(Long.MAX_VALUE)
          : command;
    }
  },

  TOMBSTONES_NOT_TAKEN("H8", "who takes a partition does not know which retries have ended") {
    @Override
    List<Tombstone> tombstones(SharedInMemoryStore store, SourcePartition partition, long now) {
      return List.of();
    }
  },

  PARKED_FORGOTTEN("H8", "who takes a partition does not know which parked rows are retries") {
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

  WATERMARK_NOT_TAKEN("H1", "who takes a partition reads on where Kafka says") {
    @Override
    long watermark(SharedInMemoryStore.Disk disk, SourcePartition partition) {
      return 0;
    }
  },

  ONCE_UNMARKED("H2", "what may run only once is handed out without its mark") {
    @Override
    List<Outcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
      return commitWithout(
          peer,
          batch,
          change ->
              change instanceof Change.UpdateStatus mark
                  && mark.owner() instanceof InFlightTask task
                  && task.activation.atMostOnce());
    }
  },

  HANDOVER_UNMARKED("H17", "what workers have is not written down when its partition is given up") {
    @Override
    List<Outcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
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

  /// The history that its rule comes from.
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

  List<Outcome> commit(EngineOnSharedStore peer, WriteBatch batch) {
    return peer.store().commit(batch);
  }

  /// @param generation that in which the partition was given to the broker
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

  /// What a former owner does when a partition was read by the one that takes it.
  void whileTaken(EngineOnSharedStore former) {}

  /// What an engine gets to hear.
  Command heard(Command command) {
    return command;
  }

  /// A change that is under way like this one, and whose loss is nobody's.
  private static Change ofNoConsequence(Change change) {
    return change instanceof Change.AdvanceWatermark
        ? change
        : new Change.OffsetCommitted(new SourcePartition("", "", "", "", 0), 0, null);
  }

  private static ParkedRow unremembered(ParkedRow row) {
    return new ParkedRow(
        row.key(), row.id(), row.application(), row.origin(), row.parkedUntil(), false);
  }

  /// Commits what is left of the batch, and says that all of it was.
  private static List<Outcome> commitWithout(
      EngineOnSharedStore peer, WriteBatch batch, Predicate<Change> isForgotten) {
    List<Change> rest = batch.changes().stream().filter(isForgotten.negate()).toList();
    var outcomes = new ArrayDeque<>(peer.store().commit(new WriteBatch(batch.number(), rest)));
    return batch.changes().stream()
        .map(change -> isForgotten.test(change) ? Outcome.APPLIED : outcomes.remove())
        .toList();
  }
}
