package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.InFlightPartition.Batch;
import io.taskbroker.inflight.InFlightPartition.Settled;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Ingest of partitions: passes their records in order through [Admission], writes the watermark
/// behind them (G1, H1), and handles assignment and revocation. Not thread-safe.
///
/// At-most-once tasks then wait in the [OffsetCommitGate].
final class Arrivals {
  private final EngineState state;
  private final Admission admission;
  private final Backpressure backpressure;
  private final OffsetCommitGate offsetGate;
  private final Map<SourcePartition, InFlightPartition> partitions;

  private int waiting;

  /// @param partitions the partitions that this broker has or had
  Arrivals(
      EngineState state,
      Admission admission,
      Backpressure backpressure,
      OffsetCommitGate offsetGate,
      Map<SourcePartition, InFlightPartition> partitions) {
    this.state = state;
    this.admission = admission;
    this.backpressure = backpressure;
    this.offsetGate = offsetGate;
    this.partitions = partitions;
  }

  void ingest(Command.Ingest records) {
    InFlightPartition intake =
        partitions.computeIfAbsent(records.partition(), InFlightPartition::new);
    if (intake.revoked) {
      return;
    }
    for (Command.IngestedRecord arrival : records.arrivals()) {
      if (arrival.undecodable() == null) {
        backpressure.arrived(state.queueOf(arrival.activation().application()));
        intake.came(arrival.activation().application());
      }
    }
    backpressure.came(records.partition(), records.nextOffset());
    var batch = new Batch(records);
    if (records.arrivals().isEmpty() && intake.batches.isEmpty()) {
      // At once, so that an acknowledged commit that is reported later does not overtake it.
      consumed(intake, batch, records.nextOffset(), records.bytes(), records.last());
      return;
    }
    intake.batches.addLast(batch);
    waiting++;
  }

  /// Accepts waiting records as far as the limits allow.
  void accept() {
    if (waiting > 0) {
      for (InFlightPartition intake : partitions.values()) {
        accept(intake);
      }
    }
  }

  boolean isWaiting() {
    return waiting > 0;
  }

  /// Handles the reader's report that a record of another application waits in Kafka.
  void foresaw(Command.Foreseen foreseen) {
    InFlightPartition intake = partitions.get(foreseen.partition());
    if (intake != null && !intake.revoked) {
      backpressure.foresaw(foreseen.partition(), foreseen.offset());
    }
  }

  private void accept(InFlightPartition intake) {
    Command.IngestedRecord refused = acceptAll(intake);
    String standing = refused == null ? null : backpressure.standing(refused);
    if (!Objects.equals(standing, intake.standing)) {
      intake.standing = standing;
      state.effects.stands(intake.partition, standing);
    }
  }

  /// @return the record that must wait; null if none must, or if all wait for the store
  private Command.@Nullable IngestedRecord acceptAll(InFlightPartition intake) {
    Batch batch = intake.batches.peekFirst();
    while (batch != null && state.hasRoomForArrivals()) {
      Command.IngestedRecord arrival = batch.head();
      while (arrival != null) {
        if (!state.hasRoomForArrivals() || !admission.admit(intake, batch, arrival)) {
          backpressure.deferred(intake, arrival.activation());
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

  /// Writes the watermark of the accepted part of a batch whose rest must wait, perhaps for long:
  /// accepted tasks run meanwhile, and must neither be read again when they are done (H1) nor wait
  /// for their commit (H2).
  private void consumedSoFar(
      InFlightPartition intake, Batch batch, Command.IngestedRecord refused) {
    if (batch.next > batch.marked) {
      long bytes = batch.markedBytes;
      for (Command.IngestedRecord accepted :
          batch.records.arrivals().subList(batch.marked, batch.next)) {
        bytes += accepted.activation().payload().length;
      }
      consumed(intake, batch, refused.activation().origin().offset(), bytes, null);
    }
  }

  /// @param bytes size of the consumed part of the batch
  /// @param last the last record that was read below the offset; null if unknown
  private void consumed(
      InFlightPartition intake,
      Batch batch,
      long nextOffset,
      long bytes,
      @Nullable RecordIdentity last) {
    intake.undurable++;
    var settled =
        new Settled(intake, nextOffset, batch.next - batch.marked, bytes - batch.markedBytes);
    batch.marked = batch.next;
    batch.markedBytes = bytes;
    state.write(new Change.AdvanceWatermark(intake.partition, nextOffset, last, settled));
  }

  /// Reports progress: a watermark is durable.
  void settled(Settled settled) {
    InFlightPartition intake = settled.partition();
    intake.undurable--;
    state.effects.consumed(
        intake.partition,
        settled.nextOffset(),
        settled.records(),
        settled.bytes(),
        !intake.unproven.isEmpty());
    drained(intake);
  }

  /// Starts or resumes an assigned partition.
  void assigned(Command.PartitionAssigned assigned) {
    SourcePartition partition = assigned.partition();
    InFlightPartition intake = partitions.computeIfAbsent(partition, InFlightPartition::new);
    intake.revoked = false;
    intake.draining = false;
    intake.lost = false;
    intake.assignedAt = assigned.reached();
    intake.committed = assigned.committed();
    offsetGate.assigned(intake, assigned.goneFrom());
  }

  void committed(Command.OffsetCommitted committed) {
    InFlightPartition intake = partitions.get(committed.partition());
    boolean lost = intake != null && intake.lost;
    if (!lost || !state.options.shared()) {
      state.write(new Change.OffsetCommitted(committed.partition(), committed.offset(), null));
    }
    if (intake != null && !lost) {
      intake.committed = committed.offset();
      offsetGate.committed(intake);
    }
  }

  /// Closes a partition that is being released. The caller must call [#drained] next.
  InFlightPartition revoked(Command.PartitionRevoked revoked) {
    InFlightPartition intake =
        partitions.computeIfAbsent(revoked.partition(), InFlightPartition::new);
    Batch head = intake.batches.peekFirst();
    Command.IngestedRecord refused = head == null ? null : head.head();
    if (head != null && refused != null) {
      consumedSoFar(intake, head, refused);
    }
    boolean lost = revoked.lost() || (intake.lost && state.options.shared());
    close(intake, lost);
    intake.draining = true;
    offsetGate.revoked(intake);
    return intake;
  }

  /// Closes a partition that the store assigned to another broker.
  void lost(InFlightPartition intake) {
    boolean known = intake.revoked;
    close(intake, true);
    if (!known) {
      state.effects.lost(intake.partition);
    }
  }

  private void close(InFlightPartition intake, boolean lost) {
    waiting -= intake.batches.size();
    intake.clear();
    backpressure.forget(intake.partition);
    intake.revoked = true;
    intake.lost = lost;
  }

  /// Reports a released partition as drained if nothing of it is pending any more.
  void drained(InFlightPartition intake) {
    if (intake.draining
        && intake.undurable == 0
        && intake.barriers == 0
        && intake.remaining.isEmpty()) {
      intake.draining = false;
      state.effects.drained(intake.partition);
    }
  }
}
