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

/// What may run only once waits here, durable, until its record's offset is committed: then no
/// other broker reads the record, and the proof of that is written down (G3, H2). Not thread-safe.
final class OffsetCommitGate {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Collection<InFlightPartition> partitions;

  /// Entries whose partition is not ours, by topic and partition: found at start before it was
  /// assigned, or stored after it was lost.
  private final Map<String, List<InFlightTask>> orphans = new HashMap<>();

  /// @param partitions the partitions that are, or were, ours; a view
  OffsetCommitGate(
      EngineState state, TaskCompletion completion, Collection<InFlightPartition> partitions) {
    this.state = state;
    this.completion = completion;
    this.partitions = partitions;
  }

  /// Whether what may run only once comes from a stretch of its partition that is read again,
  /// because the store that brokers share went back: it may have been run (docs/adr/0012).
  boolean mayHaveRun(InFlightTask task) {
    if (!state.options.shared() || !task.activation.atMostOnce()) {
      return false;
    }
    InFlightPartition intake = intakeOf(task.activation.origin());
    return intake != null && task.activation.origin().offset() < intake.assignedAt;
  }

  /// An entry is durable, its offset not known to be committed.
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

  /// The same of a row that is parked. What another broker may have run is dealt with when it is
  /// read back.
  void awaiting(Row parked) {
    Activation activation = parked.activation();
    long offset = activation.origin().offset();
    InFlightPartition intake = intakeOf(activation.origin());
    if (intake != null && offset >= intake.assignedAt) {
      intake.unproven.add(
          new AwaitingOffsetCommit(parked.key(), activation.id(), activation.origin(), null));
    }
  }

  /// The intake of the partition; that of one that is given up, too, because its last commit is
  /// still to come.
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

  /// The partition is ours: what was found of it, or was left from before, is proven by commits of
  /// ours only, or was read by somebody else. No commit proves a record that the log has lost.
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

  /// More of the partition is committed.
  void committed(InFlightPartition intake) {
    AwaitingOffsetCommit first = intake.unproven.peek();
    while (first != null && first.offset() < intake.committed) {
      intake.unproven.remove();
      prove(first);
      first = intake.unproven.peek();
    }
  }

  /// The partition is given up: what waits for it takes no room from others meanwhile.
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
