package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.InFlightPartition.AwaitingOffsetCommit;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Gate for at-most-once tasks: a stored task waits here until the offset of its record is
/// committed, so that no other broker reads the record. Then the confirmation is written to the
/// store (G3, H2). Not thread-safe.
final class OffsetCommitGate {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Collection<InFlightPartition> partitions;

  /// Suspended tasks whose partition this broker does not have, by topic and partition: found at
  /// startup before the assignment, or stored after the partition was lost.
  private final Map<String, List<InFlightTask>> unassigned = new HashMap<>();

  /// @param partitions the partitions that this broker has or had; a view
  OffsetCommitGate(
      EngineState state, TaskCompletion completion, Collection<InFlightPartition> partitions) {
    this.state = state;
    this.completion = completion;
    this.partitions = partitions;
  }

  /// Whether an at-most-once task may already have run: its record is read again because the shared
  /// store was rolled back (docs/adr/0012).
  boolean mayHaveRun(InFlightTask task) {
    if (!state.options.shared() || !task.activation.atMostOnce()) {
      return false;
    }
    InFlightPartition partition = partitionOf(task.activation.origin());
    return partition != null && task.activation.origin().offset() < partition.assignedAt;
  }

  /// Waits for the offset commit of a task that is durable.
  void await(InFlightTask task) {
    Origin origin = task.activation.origin();
    InFlightPartition partition = partitionOf(origin);
    if (partition == null) {
      unassigned.computeIfAbsent(partitionId(origin), _ -> new ArrayList<>()).add(task);
      state.suspend(task, true);
    } else if (partition.isGone(origin.offset(), task.key, state.lastKey)) {
      completion.fail(task, "Kafka lost its record; another broker may have run it");
    } else if (origin.offset() < partition.assignedAt) {
      completion.fail(task, "another broker may have run it");
    } else if (origin.offset() < partition.committed) {
      confirm(new AwaitingOffsetCommit(task.key, task.id(), origin, task));
    } else {
      partition.awaitingCommit.add(new AwaitingOffsetCommit(task.key, task.id(), origin, task));
    }
  }

  /// Waits for the offset commit of a parked row. A row that another broker may have run is handled
  /// when it is unparked.
  void await(Row parked) {
    Activation activation = parked.activation();
    long offset = activation.origin().offset();
    InFlightPartition partition = partitionOf(activation.origin());
    if (partition != null && offset >= partition.assignedAt) {
      partition.awaitingCommit.add(
          new AwaitingOffsetCommit(parked.key(), activation.id(), activation.origin(), null));
    }
  }

  /// The partition of an origin. A partition that is being released counts, too, because its last
  /// commit is still pending.
  private @Nullable InFlightPartition partitionOf(Origin origin) {
    InFlightPartition revoked = null;
    for (InFlightPartition partition : partitions) {
      if (!partition.lost
          && partition.source.partition() == origin.partition()
          && partition.source.topic().equals(origin.topic())) {
        if (!partition.revoked) {
          return partition;
        }
        revoked = partition;
      }
    }
    return revoked;
  }

  private static String partitionId(Origin origin) {
    return origin.partition() + "/" + origin.topic();
  }

  /// Re-checks everything that waits for the partition, now that it is assigned: only commits by
  /// this broker confirm it; records below the assigned offset may have been read by another
  /// broker. No commit confirms a record that the log has lost.
  ///
  /// @param goneFrom as in [Command.PartitionAssigned]
  void assigned(InFlightPartition partition, long goneFrom) {
    SourcePartition source = partition.source;
    List<AwaitingOffsetCommit> before = List.copyOf(partition.awaitingCommit);
    partition.awaitingCommit.clear();
    if (goneFrom != Command.PartitionAssigned.NOTHING_GONE) {
      partition.lose(goneFrom, state.lastKey);
    }
    for (AwaitingOffsetCommit row : before) {
      InFlightTask task = row.task();
      if (task != null) {
        resume(task);
      } else if (row.offset() >= partition.committed
          && !partition.isGone(row.offset(), row.key(), state.lastKey)) {
        partition.awaitingCommit.add(row);
      }
    }
    List<InFlightTask> found =
        unassigned.remove(partitionId(new Origin(source.topic(), source.partition(), 0)));
    if (found != null) {
      found.forEach(this::resume);
    }
  }

  private void resume(InFlightTask task) {
    state.suspend(task, false);
    if (awaitsOffsetCommit(task)) {
      await(task);
    }
  }

  private static boolean awaitsOffsetCommit(InFlightTask task) {
    return task.step() == Step.STORED && task.awaitsOffsetCommit();
  }

  /// Confirms the offsets below the committed one.
  void committed(InFlightPartition partition) {
    AwaitingOffsetCommit first = partition.awaitingCommit.peek();
    while (first != null && first.offset() < partition.committed) {
      partition.awaitingCommit.remove();
      confirm(first);
      first = partition.awaitingCommit.peek();
    }
  }

  /// Suspends the tasks that wait for a partition that is being released: they take no room from
  /// others.
  void revoked(InFlightPartition partition) {
    for (AwaitingOffsetCommit row : partition.awaitingCommit) {
      InFlightTask task = row.task();
      if (task != null) {
        state.suspend(task, true);
      }
    }
  }

  private void confirm(AwaitingOffsetCommit row) {
    InFlightTask task = row.task();
    if (task == null) {
      if (state.parked.has(Ids.fingerprint(row.id()), row.origin(), row.key())) {
        state.write(new Change.ConfirmOffset(row.key(), row.id(), row.origin(), null));
      }
    } else if (awaitsOffsetCommit(task)) {
      state.suspend(task, false);
      task.committed = true;
      if (task.status() == Status.PENDING) {
        state.transition(task, TaskEvent.CONFIRM_OFFSET);
      }
      state.writeFor(task, new Change.ConfirmOffset(row.key(), row.id(), row.origin(), task));
    }
  }
}
