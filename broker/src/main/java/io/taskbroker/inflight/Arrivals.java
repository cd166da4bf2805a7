package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.InFlightPartition.Batch;
import io.taskbroker.inflight.InFlightPartition.Settled;
import io.taskbroker.inflight.api.Command;
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
    InFlightPartition partition =
        partitions.computeIfAbsent(records.partition(), InFlightPartition::new);
    if (partition.revoked) {
      return;
    }
    for (Command.IngestedRecord arrival : records.arrivals()) {
      if (arrival.undecodable() == null) {
        backpressure.arrived(state.queueOf(arrival.activation().application()));
        partition.arrived(arrival.activation().application());
      }
    }
    backpressure.readUpTo(records.partition(), records.nextOffset());
    var batch = new Batch(records);
    if (records.arrivals().isEmpty() && partition.batches.isEmpty()) {
      // At once, so that an acknowledged commit that is reported later does not overtake it.
      consumed(partition, batch, records.nextOffset(), records.bytes(), records.last());
      return;
    }
    partition.batches.addLast(batch);
    waiting++;
  }

  /// Accepts waiting records as far as the limits allow.
  void accept() {
    if (waiting > 0) {
      for (InFlightPartition partition : partitions.values()) {
        accept(partition);
      }
    }
  }

  boolean isWaiting() {
    return waiting > 0;
  }

  /// Handles the reader's report that a record of another application waits in Kafka.
  void lookaheadFound(Command.LookaheadFound found) {
    InFlightPartition partition = partitions.get(found.partition());
    if (partition != null && !partition.revoked) {
      backpressure.addNeighbour(found.partition(), found.offset());
    }
  }

  private void accept(InFlightPartition partition) {
    Command.IngestedRecord refused = acceptAll(partition);
    String blocked = refused == null ? null : backpressure.blockedApplication(refused);
    if (!Objects.equals(blocked, partition.blockedApplication)) {
      partition.blockedApplication = blocked;
      state.offsets.waitsForRoom(partition.source, blocked);
    }
  }

  /// @return the record that must wait; null if none must, or if all wait for the store
  private Command.@Nullable IngestedRecord acceptAll(InFlightPartition partition) {
    Batch batch = partition.batches.peekFirst();
    while (batch != null && state.hasRoomForArrivals()) {
      Command.IngestedRecord arrival = batch.head();
      while (arrival != null) {
        if (!state.hasRoomForArrivals() || !admission.admit(partition, batch, arrival)) {
          backpressure.deferred(partition, arrival.activation());
          consumedSoFar(partition, batch, arrival);
          return arrival;
        }
        batch.next++;
        if (arrival.undecodable() == null) {
          partition.passed(arrival.activation().application());
        }
        arrival = batch.head();
      }
      partition.batches.removeFirst();
      waiting--;
      Command.Ingest records = batch.records;
      consumed(partition, batch, records.nextOffset(), records.bytes(), records.last());
      batch = partition.batches.peekFirst();
    }
    return null;
  }

  /// Writes the watermark of the accepted part of a batch whose rest must wait, perhaps for long:
  /// accepted tasks run meanwhile, and must neither be read again when they are done (H1) nor wait
  /// for their commit (H2).
  private void consumedSoFar(
      InFlightPartition partition, Batch batch, Command.IngestedRecord refused) {
    if (batch.next > batch.settled) {
      long bytes = batch.settledBytes;
      for (Command.IngestedRecord accepted :
          batch.records.arrivals().subList(batch.settled, batch.next)) {
        bytes += accepted.activation().payload().length;
      }
      // Without the last record, a truncation of the log below it would not be noticed.
      RecordIdentity last = batch.records.arrivals().get(batch.next - 1).identity();
      consumed(partition, batch, refused.activation().origin().offset(), bytes, last);
    }
  }

  /// @param bytes size of the consumed part of the batch
  /// @param last the last record that was read below the offset; null if unknown
  private void consumed(
      InFlightPartition partition,
      Batch batch,
      long nextOffset,
      long bytes,
      @Nullable RecordIdentity last) {
    partition.pendingWatermarks++;
    var settled =
        new Settled(partition, nextOffset, batch.next - batch.settled, bytes - batch.settledBytes);
    batch.settled = batch.next;
    batch.settledBytes = bytes;
    state.write(new Change.AdvanceWatermark(partition.source, nextOffset, last, settled));
  }

  /// Reports progress: a watermark is durable.
  void settled(Settled settled) {
    InFlightPartition partition = settled.partition();
    partition.pendingWatermarks--;
    state.offsets.consumed(
        partition.source,
        settled.nextOffset(),
        settled.records(),
        settled.bytes(),
        !partition.awaitingCommit.isEmpty());
    drained(partition);
  }

  /// Starts or resumes an assigned partition.
  void assigned(Command.PartitionAssigned assigned) {
    InFlightPartition partition =
        partitions.computeIfAbsent(assigned.partition(), InFlightPartition::new);
    partition.revoked = false;
    partition.draining = false;
    partition.lost = false;
    partition.assignedAt = assigned.reached();
    partition.committed = assigned.committed();
    offsetGate.assigned(partition, assigned.goneFrom());
  }

  void committed(Command.OffsetCommitted committed) {
    InFlightPartition partition = partitions.get(committed.partition());
    boolean lost = partition != null && partition.lost;
    if (!lost || !state.options.shared()) {
      state.write(new Change.OffsetCommitted(committed.partition(), committed.offset(), null));
    }
    if (partition != null && !lost) {
      partition.committed = committed.offset();
      offsetGate.committed(partition);
    }
  }

  /// Closes a partition that is being released. The caller must call [#drained] next.
  InFlightPartition revoked(Command.PartitionRevoked revoked) {
    InFlightPartition partition =
        partitions.computeIfAbsent(revoked.partition(), InFlightPartition::new);
    Batch head = partition.batches.peekFirst();
    Command.IngestedRecord refused = head == null ? null : head.head();
    if (head != null && refused != null) {
      consumedSoFar(partition, head, refused);
    }
    boolean lost = revoked.lost() || (partition.lost && state.options.shared());
    close(partition, lost);
    partition.draining = true;
    offsetGate.revoked(partition);
    return partition;
  }

  /// Closes a partition that the store assigned to another broker.
  void lost(InFlightPartition partition) {
    boolean known = partition.revoked;
    close(partition, true);
    if (!known) {
      state.offsets.lost(partition.source);
    }
  }

  private void close(InFlightPartition partition, boolean lost) {
    waiting -= partition.batches.size();
    partition.clear();
    backpressure.forget(partition.source);
    partition.revoked = true;
    partition.lost = lost;
  }

  /// Reports a released partition as drained if nothing of it is pending any more.
  void drained(InFlightPartition partition) {
    if (partition.draining
        && partition.pendingWatermarks == 0
        && partition.barriers == 0
        && partition.remaining.isEmpty()) {
      partition.draining = false;
      state.offsets.drained(partition.source);
    }
  }
}
