package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A partition in Kafka with its consumer: a log of records, the read position, and the committed
/// offset. The log and the committed offset survive a crash.
final class RigPartition {
  final SourcePartition source;

  /// A record that a rule drops is null.
  private final List<Command.@Nullable IngestedRecord> log = new ArrayList<>();

  private final EngineRig rig;
  private long position;
  private long begun;
  private long acknowledged = Watermark.NONE;

  /// The offset that is committed in Kafka.
  long committed = Watermark.NONE;

  /// Everything below may be committed, as the engine reported.
  long consumed = Watermark.NONE;

  int settledRecords;
  long settledBytes;
  long sentBytes;
  boolean urgent;
  boolean drained;

  /// The application at its limit that it waits for.
  @Nullable String blockedApplication;

  RigPartition(EngineRig rig, String topic, int number) {
    this.rig = rig;
    this.source = new SourcePartition("cluster", "group", topic + "-uuid", topic, number);
  }

  /// Offset of the next record.
  long end() {
    return log.size();
  }

  Activation append(Task task) {
    Activation activation = task.at(origin(), rig.wall);
    log.add(new Command.IngestedRecord(activation, null));
    return activation;
  }

  /// Appends a message that is not an activation; returns the id that it is kept under.
  String appendUndecodable(byte[] message) {
    Origin origin = origin();
    String id = Ids.undecodable(origin, rig.wall);
    var activation =
        new Activation(
            id,
            "",
            "",
            "",
            message,
            origin,
            rig.wall,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.DEAD_LETTER,
            false,
            false);
    log.add(new Command.IngestedRecord(activation, "not an activation"));
    return id;
  }

  /// Appends a record that a rule drops at ingest.
  void appendDropped() {
    log.add(null);
  }

  private Origin origin() {
    return new Origin(source.topic(), source.partition(), log.size());
  }

  /// The records, without those that a rule drops.
  List<Activation> activations() {
    List<Activation> activations = new ArrayList<>();
    for (Command.IngestedRecord arrival : log) {
      if (arrival != null) {
        activations.add(arrival.activation());
      }
    }
    return activations;
  }

  /// Whether everything that the engine received is stored or disposed of.
  boolean isSettled() {
    return Math.max(begun, consumed) == position;
  }

  boolean hasMore() {
    return position < log.size();
  }

  /// Gives the engine up to `most` records.
  void poll(int most) {
    long next = Math.min(log.size(), position + (long) most);
    List<Command.IngestedRecord> arrivals = new ArrayList<>();
    long bytes = 0;
    for (Command.IngestedRecord arrival : log.subList((int) position, (int) next)) {
      if (arrival != null) {
        arrivals.add(arrival);
        bytes += arrival.activation().payload().length;
      }
    }
    position = next;
    sentBytes += bytes;
    rig.tell(new Command.Ingest(source, arrivals, next, bytes));
  }

  /// Appends tasks, and lets the engine ingest everything.
  void send(Task... tasks) {
    for (Task task : tasks) {
      append(task);
    }
    poll(Integer.MAX_VALUE);
    rig.settle();
  }

  /// Assigns the partition: reading resumes at the watermark, or else at Kafka's offset. A position
  /// ahead of the committed offset may be committed at once.
  void assign() {
    Watermark watermark = rig.store.watermark(source);
    position = Math.max(0, Math.max(committed, watermark.next()));
    consumed = position > Math.max(committed, 0) ? position : Watermark.NONE;
    acknowledged = committed;
    begun = position;
    drained = false;
    rig.tell(new Command.PartitionAssigned(source, committed));
  }

  /// The log loses its end, which is noticed: reading resumes there.
  void cutOff(int end) {
    revoke(false);
    log.subList(end, log.size()).clear();
    position = end;
    committed = end;
    acknowledged = end;
    begun = end;
    consumed = Watermark.NONE;
    drained = false;
    rig.tell(new Command.PartitionAssigned(source, end, end, end));
    rig.tell(new Command.Ingest(source, List.of(), end, 0));
  }

  void revoke(boolean lost) {
    rig.tell(new Command.PartitionRevoked(source, lost));
  }

  /// Kafka acknowledges a commit of everything that may be committed.
  void commitOffset() {
    committed = Math.max(committed, consumed);
    if (committed > acknowledged) {
      acknowledged = committed;
      rig.tell(new Command.OffsetCommitted(source, committed));
    }
  }

  /// Kafka performs the commit, and the acknowledgement is lost.
  void commitOffsetSilently() {
    committed = Math.max(committed, consumed);
  }
}
