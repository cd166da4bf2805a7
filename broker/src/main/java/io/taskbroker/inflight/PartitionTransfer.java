package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Transfer of partitions from and to other brokers on the same store, with all their tasks in
/// flight (H10, H11, H17). Not thread-safe.
final class PartitionTransfer {
  private static final String MOVED = "its partition moved to another broker";

  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;
  private final Recovery recovery;
  private final ParkedLoader parkedLoader;
  private final Map<SourcePartition, InFlightPartition> partitions;

  /// @param partitions the partitions that this broker has or had
  PartitionTransfer(
      EngineState state,
      TaskCompletion completion,
      StatusWriter statusWriter,
      Recovery recovery,
      ParkedLoader parkedLoader,
      Map<SourcePartition, InFlightPartition> partitions) {
    this.state = state;
    this.completion = completion;
    this.statusWriter = statusWriter;
    this.recovery = recovery;
    this.parkedLoader = parkedLoader;
    this.partitions = partitions;
  }

  /// Adds a page of the rows of a partition that this broker acquired. It leaves lastKey unchanged:
  /// other brokers made those keys.
  void load(Command.PartitionLoaded page) {
    InFlightPartition partition =
        partitions.computeIfAbsent(page.partition(), InFlightPartition::new);
    partition.revoked = false;
    partition.draining = false;
    partition.lost = false;
    if (!page.inOrder()) {
      state.awaitReports();
    }
    state.awaitWorkers();
    partition.assignedAt = Watermark.NONE; // its rows are in the store, none is read again
    for (Row row : page.rows()) {
      load(row, page.inOrder());
    }
    for (ParkedRow row : page.parked()) {
      if (!isInMemory(row.id(), row.key())) {
        parkedLoader.found(row);
        state.queueOf(row.application()).backlog.rewind();
      }
    }
    page.tombstones().forEach((id, until) -> state.tombstones.add(id, until, state.wall));
  }

  private void load(Row row, boolean inOrder) {
    String id = row.activation().id();
    if (isInMemory(id, row.key())) {
      return;
    }
    InFlightTask task = recovery.taskOf(row);
    if (state.join(task)) {
      recovery.resume(task, inOrder);
      return;
    }
    InFlightTask other = state.tasks.get(id);
    if (other != null && other.step() == Step.QUARANTINED) {
      completion.endQuarantine(other, true);
    }
  }

  /// Whether a row is in memory already. A task that was being released is evicted: its row on disk
  /// is newer.
  private boolean isInMemory(String id, long key) {
    InFlightTask task = state.tasks.get(id);
    if (task == null || task.key != key) {
      task = state.duplicateIds.find(id, key);
    }
    if (task != null && task.releasing) {
      completion.evict(task, MOVED);
      return false;
    }
    return task != null;
  }

  /// Resumes tasks whose duplicates have ended.
  void resumeDuplicates() {
    InFlightTask free = state.duplicateIds.pollReleased();
    while (free != null) {
      if (free.step() == Step.STORED) {
        recovery.resume(free, false);
      }
      free = state.duplicateIds.pollReleased();
    }
  }

  /// Releases the tasks in flight of a partition: in order, so that workers are not disturbed, or
  /// at once if it is lost.
  void revoked(InFlightPartition partition, boolean lost) {
    PartitionKey partitionKey = PartitionKey.of(partition.source);
    state.parked.forget(partitionKey);
    if (lost) {
      evict(partitionKey);
      partition.remaining.clear();
      partition.barriers++;
      state.store.barrier(partition);
      return;
    }
    for (InFlightTask task : of(partitionKey)) {
      task.releasing = true;
      if (!task.status().isHandedOut()) {
        state.detach(task);
      }
      if (!release(task)) {
        partition.remaining.add(task);
      }
    }
  }

  /// Continues to release a partition. Returns whether nothing is left of it.
  boolean release(InFlightPartition partition) {
    partition.remaining.removeIf(this::release);
    return partition.remaining.isEmpty();
  }

  /// Evicts a task that is being released, if its row says all that another broker needs and
  /// nothing pending can change it; otherwise writes what is missing. Returns whether it is gone.
  private boolean release(InFlightTask task) {
    if (task.step() == Step.GONE) {
      return true;
    }
    if (task.pendingWrites > 0) {
      return false;
    }
    return switch (task.step()) {
      case INSERTING, WRITING_STATUS, FORWARDING, PRODUCING, DELETING -> false;
      case STORED -> !statusWriter.flushDue(task) && evictTask(task);
      case QUARANTINED -> {
        InFlightTask kept = state.tasks.get(task.id());
        yield evictTask(kept == null || kept.key != task.key ? task : kept);
      }
      case GONE -> true;
    };
  }

  private boolean evictTask(InFlightTask task) {
    completion.evict(task, MOVED);
    return true;
  }

  /// Handles changes that the store refused: this broker does not have their partitions, and all
  /// tasks in flight of those leave memory.
  ///
  /// @return the partitions that are lost by that
  List<InFlightPartition> fenced(List<Change> changes) {
    Set<PartitionKey> partitionKeys = new LinkedHashSet<>();
    for (Change change : changes) {
      state.changeDone(change);
      if (change instanceof Change.Fire fire) {
        var _ = state.unknownFires.end(fire);
      }
      switch (change) {
        case Change.AdvanceWatermark(_, _, _, InFlightPartition.Settled settled) -> {
          settled.partition().pendingWatermarks--;
          partitionKeys.add(PartitionKey.of(change));
        }
        // May be reported after the partition was released, and even after it was acquired again.
        case Change.OffsetCommitted _ -> {}
        case Change.Insert(_, PendingEnqueue enqueue) -> {
          enqueue.unavailable(MOVED);
          partitionKeys.add(PartitionKey.of(change));
        }
        case Change.Fire(_, _, PendingEnqueue enqueue) -> {
          enqueue.unavailable(MOVED);
          partitionKeys.add(PartitionKey.of(change));
        }
        default -> partitionKeys.add(PartitionKey.of(change));
      }
    }
    return lost(partitionKeys);
  }

  /// Evicts all tasks in flight of partitions that this broker does not have.
  ///
  /// @return the partitions that are lost by that
  List<InFlightPartition> lost(Collection<PartitionKey> partitionKeys) {
    List<InFlightPartition> lost = new ArrayList<>();
    for (PartitionKey partitionKey : partitionKeys) {
      evict(partitionKey);
      state.parked.forget(partitionKey);
      for (InFlightPartition partition : partitions.values()) {
        if (!partition.lost && PartitionKey.of(partition.source).equals(partitionKey)) {
          lost.add(partition);
        }
      }
    }
    return lost;
  }

  /// Evicts all tasks of partitions, because the store was rolled back.
  ///
  /// @return the partitions that are lost by that
  List<InFlightPartition> allLost() {
    List<InFlightPartition> lost = new ArrayList<>();
    for (InFlightPartition partition : partitions.values()) {
      if (!partition.lost) {
        PartitionKey partitionKey = PartitionKey.of(partition.source);
        evict(partitionKey);
        state.parked.forget(partitionKey);
        lost.add(partition);
      }
    }
    return lost;
  }

  private void evict(PartitionKey partitionKey) {
    for (InFlightTask task : of(partitionKey)) {
      if (task.step() != Step.GONE) {
        completion.evict(task, MOVED);
      }
    }
  }

  private Collection<InFlightTask> of(PartitionKey partitionKey) {
    List<InFlightTask> found = state.duplicateIds.of(partitionKey);
    for (InFlightTask task : state.tasks.values()) {
      if (partitionKey.has(task)) {
        found.add(task);
      }
    }
    return found;
  }
}
