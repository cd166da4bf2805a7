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
  private final Map<String, List<InFlightTask>> orphans = new HashMap<>();

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
    InFlightPartition intake = intakeOf(task.activation.origin());
    return intake != null && task.activation.origin().offset() < intake.assignedAt;
  }

  /// Waits for the offset commit of a task that is durable.
  void awaiting(InFlightTask task) {
    Origin origin = task.activation.origin();
    InFlightPartition intake = intakeOf(origin);
    if (intake == null) {
      orphans.computeIfAbsent(add(origin), _ -> new ArrayList<>()).add(task);
      state.suspend(task, true);
    } else if (origin.offset() < intake.assignedAt) {
      completion.fail(task, "whether another broker has run it is not known");
    } else if (origin.offset() < intake.committed) {
      prove(new AwaitingOffsetCommit(task.key, task.id(), origin, task));
    } else {
      intake.unproven.add(new AwaitingOffsetCommit(task.key, task.id(), origin, task));
    }
  }

  /// Waits for the offset commit of a parked row. A row that another broker may have run is handled
  /// when it is unparked.
  void awaiting(Row parked) {
    Activation activation = parked.activation();
    long offset = activation.origin().offset();
    InFlightPartition intake = intakeOf(activation.origin());
    if (intake != null && offset >= intake.assignedAt) {
      intake.unproven.add(
          new AwaitingOffsetCommit(parked.key(), activation.id(), activation.origin(), null));
    }
  }

  /// The partition of an origin. A partition that is being released counts, too, because its last
  /// commit is still pending.
  private @Nullable InFlightPartition intakeOf(Origin origin) {
    InFlightPartition given = null;
    for (InFlightPartition intake : partitions) {
      if (!intake.lost
          && intake.partition.partition() == origin.partition()
          && intake.partition.topic().equals(origin.topic())) {
        if (!intake.revoked) {
          return intake;
        }
        given = intake;
      }
    }
    return given;
  }

  private static String add(Origin origin) {
    return origin.partition() + "/" + origin.topic();
  }

  /// Re-checks everything that waits for the partition, now that it is assigned: only commits by
  /// this broker confirm it; records below the assigned offset may have been read by another
  /// broker. No commit confirms a record that the log has lost.
  ///
  /// @param goneFrom as in [Command.PartitionAssigned]
  void assigned(InFlightPartition intake, long goneFrom) {
    SourcePartition partition = intake.partition;
    List<AwaitingOffsetCommit> before = List.copyOf(intake.unproven);
    intake.unproven.clear();
    for (AwaitingOffsetCommit row : before) {
      InFlightTask task = row.task();
      if (task == null) {
        if (row.offset() >= intake.committed) {
          intake.unproven.add(row);
        }
      } else {
        resume(task, goneFrom);
      }
    }
    List<InFlightTask> found =
        orphans.remove(add(new Origin(partition.topic(), partition.partition(), 0)));
    if (found != null) {
      found.forEach(task -> resume(task, goneFrom));
    }
  }

  private void resume(InFlightTask task, long goneFrom) {
    state.suspend(task, false);
    if (!awaitsOffsetCommit(task)) {
      return;
    }
    if (task.activation.origin().offset() >= goneFrom) {
      completion.fail(
          task, "Kafka lost its record; whether another broker has run it is not known");
    } else {
      awaiting(task);
    }
  }

  private static boolean awaitsOffsetCommit(InFlightTask task) {
    return task.step() == Step.STORED && task.awaitsOffsetCommit();
  }

  /// Confirms the offsets below the committed one.
  void committed(InFlightPartition intake) {
    AwaitingOffsetCommit first = intake.unproven.peek();
    while (first != null && first.offset() < intake.committed) {
      intake.unproven.remove();
      prove(first);
      first = intake.unproven.peek();
    }
  }

  /// Suspends the tasks that wait for a partition that is being released: they take no room from
  /// others.
  void revoked(InFlightPartition intake) {
    for (AwaitingOffsetCommit row : intake.unproven) {
      InFlightTask task = row.task();
      if (task != null) {
        state.suspend(task, true);
      }
    }
  }

  private void prove(AwaitingOffsetCommit row) {
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
