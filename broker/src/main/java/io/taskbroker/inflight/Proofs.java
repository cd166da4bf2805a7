package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.PartitionIntake.Unproven;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What may run only once waits here, durable, until its record's offset is committed: then no
/// other broker reads the record, and the proof of that is written down (G3, H2). Not thread-safe.
final class Proofs {
  private final Flight flight;
  private final Endings endings;
  private final Collection<PartitionIntake> partitions;

  /// Entries whose partition is not ours, by topic and partition: found at start before it was
  /// assigned, or stored after it was lost.
  private final Map<String, List<Entry>> orphans = new HashMap<>();

  /// @param partitions the partitions that are, or were, ours; a view
  Proofs(Flight flight, Endings endings, Collection<PartitionIntake> partitions) {
    this.flight = flight;
    this.endings = endings;
    this.partitions = partitions;
  }

  /// Whether what may run only once comes from a stretch of its partition that is read again,
  /// because the store that brokers share went back: it may have been run (docs/adr/0012).
  boolean mayHaveRun(Entry entry) {
    if (!flight.options.shared() || !entry.activation.atMostOnce()) {
      return false;
    }
    PartitionIntake intake = intakeOf(entry.activation.origin());
    return intake != null && entry.activation.origin().offset() < intake.assignedAt;
  }

  /// An entry is durable, its offset not known to be committed.
  void unproven(Entry entry) {
    Origin origin = entry.activation.origin();
    PartitionIntake intake = intakeOf(origin);
    if (intake == null) {
      orphans.computeIfAbsent(place(origin), _ -> new ArrayList<>()).add(entry);
      flight.setAside(entry, true);
    } else if (origin.offset() < intake.assignedAt) {
      endings.fail(entry, "whether another broker has run it is not known");
    } else if (origin.offset() < intake.committed) {
      prove(new Unproven(entry.key, entry.id(), origin, entry));
    } else {
      intake.unproven.add(new Unproven(entry.key, entry.id(), origin, entry));
    }
  }

  /// The same of a row that is parked. What another broker may have run is dealt with when it is
  /// read back.
  void unproven(Row parked) {
    Activation activation = parked.activation();
    long offset = activation.origin().offset();
    PartitionIntake intake = intakeOf(activation.origin());
    if (intake != null && offset >= intake.assignedAt) {
      intake.unproven.add(new Unproven(parked.key(), activation.id(), activation.origin(), null));
    }
  }

  /// The intake of the partition; that of one that is given up, too, because its last commit is
  /// still to come.
  private @Nullable PartitionIntake intakeOf(Origin origin) {
    PartitionIntake given = null;
    for (PartitionIntake intake : partitions) {
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

  private static String place(Origin origin) {
    return origin.partition() + "/" + origin.topic();
  }

  /// The partition is ours: what was found of it, or was left from before, is proven by commits of
  /// ours only, or was read by somebody else. No commit proves a record that the log has lost.
  ///
  /// @param goneFrom as in [Command.Assigned]
  void assigned(PartitionIntake intake, long goneFrom) {
    SourcePartition partition = intake.partition;
    List<Unproven> before = List.copyOf(intake.unproven);
    intake.unproven.clear();
    for (Unproven row : before) {
      Entry entry = row.entry();
      if (entry == null) {
        if (row.offset() >= intake.committed) {
          intake.unproven.add(row);
        }
      } else {
        resume(entry, goneFrom);
      }
    }
    List<Entry> found =
        orphans.remove(place(new Origin(partition.topic(), partition.partition(), 0)));
    if (found != null) {
      found.forEach(entry -> resume(entry, goneFrom));
    }
  }

  private void resume(Entry entry, long goneFrom) {
    flight.setAside(entry, false);
    if (!awaitsProof(entry)) {
      return;
    }
    if (entry.activation.origin().offset() >= goneFrom) {
      endings.fail(entry, "Kafka lost its record; whether another broker has run it is not known");
    } else {
      unproven(entry);
    }
  }

  private static boolean awaitsProof(Entry entry) {
    return entry.step == Entry.Step.STORED && entry.isUnproven();
  }

  /// More of the partition is committed.
  void committed(PartitionIntake intake) {
    Unproven first = intake.unproven.peek();
    while (first != null && first.offset() < intake.committed) {
      intake.unproven.remove();
      prove(first);
      first = intake.unproven.peek();
    }
  }

  /// The partition is given up: what waits for it takes no room from others meanwhile.
  void revoked(PartitionIntake intake) {
    for (Unproven row : intake.unproven) {
      Entry entry = row.entry();
      if (entry != null) {
        flight.setAside(entry, true);
      }
    }
  }

  private void prove(Unproven row) {
    Entry entry = row.entry();
    if (entry == null) {
      if (flight.parked.has(Ids.fingerprint(row.id()), row.origin(), row.key())) {
        flight.write(new Change.Prove(row.key(), row.id(), row.origin(), null));
      }
    } else if (awaitsProof(entry)) {
      flight.setAside(entry, false);
      entry.committed = true;
      if (entry.status == Status.PENDING) {
        entry.step = Entry.Step.MARKING;
      }
      flight.mark(entry, new Change.Prove(row.key(), row.id(), row.origin(), entry));
    }
  }
}
