package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.PartitionIntake.Batch;
import io.taskbroker.inflight.PartitionIntake.Settled;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// How partitions are read: their records in order, each through [Admission], and the watermark
/// behind them (G1, H1); how they come and go. Not thread-safe.
///
/// What may run only once then waits for its [Proofs].
final class Arrivals {
  private final Flight flight;
  private final Admission admission;
  private final Bounds bounds;
  private final Proofs proofs;
  private final Map<SourcePartition, PartitionIntake> partitions;

  private int waiting;

  /// @param partitions the partitions that are, or were, ours
  Arrivals(
      Flight flight,
      Admission admission,
      Bounds bounds,
      Proofs proofs,
      Map<SourcePartition, PartitionIntake> partitions) {
    this.flight = flight;
    this.admission = admission;
    this.bounds = bounds;
    this.proofs = proofs;
    this.partitions = partitions;
  }

  void ingest(Command.Ingest records) {
    PartitionIntake intake = partitions.computeIfAbsent(records.partition(), PartitionIntake::new);
    if (intake.revoked) {
      return;
    }
    for (Command.Arrival arrival : records.arrivals()) {
      if (arrival.undecodable() == null) {
        bounds.arrived(flight.lane(arrival.activation().application()));
        intake.came(arrival.activation().application());
      }
    }
    bounds.came(records.partition(), records.nextOffset());
    var batch = new Batch(records);
    if (records.arrivals().isEmpty() && intake.batches.isEmpty()) {
      // At once, so that no acknowledged commit that is told after it gets before it.
      consumed(intake, batch, records.nextOffset(), records.bytes(), records.last());
      return;
    }
    intake.batches.addLast(batch);
    waiting++;
  }

  /// Accepts what waits, as far as the bounds allow.
  void accept() {
    if (waiting > 0) {
      for (PartitionIntake intake : partitions.values()) {
        accept(intake);
      }
    }
  }

  boolean isWaiting() {
    return waiting > 0;
  }

  /// A record of another application than those that stand waits in Kafka.
  void foresaw(Command.Foreseen foreseen) {
    PartitionIntake intake = partitions.get(foreseen.partition());
    if (intake != null && !intake.revoked) {
      bounds.foresaw(foreseen.partition(), foreseen.offset());
    }
  }

  private void accept(PartitionIntake intake) {
    Command.Arrival refused = acceptAll(intake);
    String standing = refused == null ? null : bounds.standing(refused);
    if (!Objects.equals(standing, intake.standing)) {
      intake.standing = standing;
      flight.effects.stands(intake.partition, standing);
    }
  }

  /// @return the record that has to wait; null if none has, or all wait for the store
  private Command.@Nullable Arrival acceptAll(PartitionIntake intake) {
    Batch batch = intake.batches.peekFirst();
    while (batch != null && flight.hasRoomForArrivals()) {
      Command.Arrival arrival = batch.head();
      while (arrival != null) {
        if (!flight.hasRoomForArrivals() || !admission.admit(intake, batch, arrival)) {
          bounds.heldBack(intake, arrival.activation());
          consumedSoFar(intake, batch, arrival);
          return arrival;
        }
        batch.next++;
        if (arrival.undecodable() == null) {
          intake.passed(arrival.activation().application());
        }
        arrival = batch.head();
      }
      intake.batches.removeFirst();
      waiting--;
      Command.Ingest records = batch.records;
      consumed(intake, batch, records.nextOffset(), records.bytes(), records.last());
      batch = intake.batches.peekFirst();
    }
    return null;
  }

  /// The rest of the batch has to wait, perhaps for long: what was accepted runs meanwhile, and
  /// must not be read again when it is done (H1), nor wait for its commit (H2).
  private void consumedSoFar(PartitionIntake intake, Batch batch, Command.Arrival refused) {
    if (batch.next > batch.marked) {
      long bytes = batch.markedBytes;
      for (Command.Arrival accepted : batch.records.arrivals().subList(batch.marked, batch.next)) {
        bytes += accepted.activation().payload().length;
      }
      consumed(intake, batch, refused.activation().origin().offset(), bytes, null);
    }
  }

  /// @param bytes the size of what is consumed of the batch
  /// @param last the last record that was read below the offset; null if it is not known
  private void consumed(
      PartitionIntake intake,
      Batch batch,
      long nextOffset,
      long bytes,
      @Nullable RecordIdentity last) {
    intake.undurable++;
    var settled =
        new Settled(intake, nextOffset, batch.next - batch.marked, bytes - batch.markedBytes);
    batch.marked = batch.next;
    batch.markedBytes = bytes;
    flight.write(new Change.Consumed(intake.partition, nextOffset, last, settled));
  }

  /// A watermark is durable.
  void settled(Settled settled) {
    PartitionIntake intake = settled.partition();
    intake.undurable--;
    flight.effects.consumed(
        intake.partition,
        settled.nextOffset(),
        settled.records(),
        settled.bytes(),
        !intake.unproven.isEmpty());
    drained(intake);
  }

  /// The partition is ours.
  void assigned(Command.Assigned assigned) {
    SourcePartition partition = assigned.partition();
    PartitionIntake intake = partitions.computeIfAbsent(partition, PartitionIntake::new);
    intake.revoked = false;
    intake.draining = false;
    intake.lost = false;
    intake.assignedAt = assigned.reached();
    intake.committed = assigned.committed();
    proofs.assigned(intake, assigned.goneFrom());
  }

  void committed(Command.OffsetCommitted committed) {
    PartitionIntake intake = partitions.get(committed.partition());
    boolean lost = intake != null && intake.lost;
    if (!lost || !flight.options.shared()) {
      flight.write(new Change.OffsetCommitted(committed.partition(), committed.offset(), null));
    }
    if (intake != null && !lost) {
      intake.committed = committed.offset();
      proofs.committed(intake);
    }
  }

  /// The partition is given up. To be followed by [#drained].
  PartitionIntake revoked(Command.Revoked revoked) {
    PartitionIntake intake = partitions.computeIfAbsent(revoked.partition(), PartitionIntake::new);
    Batch head = intake.batches.peekFirst();
    Command.Arrival refused = head == null ? null : head.head();
    if (head != null && refused != null) {
      consumedSoFar(intake, head, refused);
    }
    boolean lost = revoked.lost() || (intake.lost && flight.options.shared());
    close(intake, lost);
    intake.draining = true;
    proofs.revoked(intake);
    return intake;
  }

  /// The store says that the partition is not ours.
  void lost(PartitionIntake intake) {
    boolean known = intake.revoked;
    close(intake, true);
    if (!known) {
      flight.effects.lost(intake.partition);
    }
  }

  private void close(PartitionIntake intake, boolean lost) {
    waiting -= intake.batches.size();
    intake.clear();
    bounds.forget(intake.partition);
    intake.revoked = true;
    intake.lost = lost;
  }

  /// Says that nothing of a partition that is given up is under way any more, if that is so.
  void drained(PartitionIntake intake) {
    if (intake.draining
        && intake.undurable == 0
        && intake.barriers == 0
        && intake.remaining.isEmpty()) {
      intake.draining = false;
      flight.effects.drained(intake.partition);
    }
  }
}
