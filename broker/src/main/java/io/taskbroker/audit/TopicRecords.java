package io.taskbroker.audit;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.deadletter.TopicScan;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Ids of the records of one range of a partition, as the broker assigns them.
///
/// @param byOffset the records; offsets without a committed record are missing
/// @param since timestamp of the oldest, milliseconds since the epoch; [Long#MAX_VALUE] if there is
///   none
record TopicRecords(Map<Long, Known> byOffset, long since) {

  /// One record.
  ///
  /// @param id of the task
  /// @param retryId id of its retry; empty if it can have none
  record Known(String id, String retryId) {}

  static TopicRecords read(TopicScan scan, int partition, long from, long to, boolean raw) {
    var byOffset = new HashMap<Long, Known>();
    var since = new long[] {Long.MAX_VALUE};
    scan.read(
        partition,
        from,
        to,
        message -> {
          byOffset.put(
              message.offset(), raw ? ofRaw(scan.topicId(), message) : ofActivation(message));
          since[0] = Math.min(since[0], message.timestamp());
          return true;
        });
    return new TopicRecords(byOffset, since[0]);
  }

  private static Known ofRaw(String topicId, ConsumerRecord<byte[], byte[]> message) {
    var record =
        new RecordIdentity(
            message.offset(),
            message.leaderEpoch().orElse(RecordIdentity.NO_EPOCH),
            message.timestamp());
    String id = Ids.raw(topicId, message.partition(), record);
    return new Known(id, Ids.retry(id, 1));
  }

  private static Known ofActivation(ConsumerRecord<byte[], byte[]> message) {
    try {
      TaskActivation task =
          TaskActivation.parseFrom(message.value() == null ? new byte[0] : message.value());
      if (!task.getId().isEmpty()) {
        return new Known(
            task.getId(), Ids.retry(task.getId(), task.getRetryState().getAttempts() + 1));
      }
    } catch (InvalidProtocolBufferException _) {
      // the broker makes a dead letter of it
    }
    var origin = new Origin(message.topic(), message.partition(), message.offset());
    return new Known(Ids.undecodable(origin, message.timestamp()), "");
  }
}
