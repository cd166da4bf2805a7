package io.taskbroker.audit;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.audit.TopicRecords.Known;
import io.taskbroker.config.ClusterConfig;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.config.TopicConfig;
import io.taskbroker.deadletter.DeadLetter;
import io.taskbroker.deadletter.Position;
import io.taskbroker.deadletter.TopicScan;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Search for ended tasks in the topics of dead letters, retries and demoted tasks. One thread.
final class Ends {
  /// Largest number of records that are read of one topic.
  private static final long MAX_SCANNED = 2_000_000;

  /// Allowance for the clocks of publishers and brokers.
  private static final long CLOCK_DIFFERENCE_MS = 60 * 60_000;

  private final KafkaConfig kafka;
  private final TopicConfig topic;
  private final List<String> notes;

  private final Map<Position, Integer> byOrigin = new HashMap<>();
  private final Map<String, Integer> byId = new HashMap<>();
  private final Map<String, Integer> byRetryId = new HashMap<>();

  /// @param notes receives what limits the proof
  Ends(KafkaConfig kafka, TopicConfig topic, List<String> notes) {
    this.kafka = kafka;
    this.topic = topic;
    this.notes = notes;
  }

  /// The entries, completed by the findings about those that have ended.
  List<AuditEntry> find(List<AuditEntry> entries, List<TopicRecords> records) {
    var found = new ArrayList<>(entries);
    var retryIds = new HashMap<String, String>();
    long since = Long.MAX_VALUE;
    for (TopicRecords each : records) {
      since = Math.min(since, each.since());
      for (Known known : each.byOffset().values()) {
        retryIds.put(known.id(), known.retryId());
      }
    }
    for (int i = 0; i < found.size(); i++) {
      int index = i;
      AuditEntry entry = found.get(i);
      if (entry.outcome().isEnd()) {
        byOrigin.put(new Position(entry.partition(), entry.offset()), index);
        if (!entry.id().isEmpty()) {
          byId.put(entry.id(), index);
          Optional.ofNullable(retryIds.get(entry.id()))
              .filter(it -> !it.isEmpty())
              .ifPresent(it -> byRetryId.put(it, index));
        }
      }
    }
    if (byOrigin.isEmpty()) {
      return found;
    }
    scan(kafka.deadletterTopic(), since, message -> deadLetter(message, found));
    scan(kafka.retryTopic(), since, message -> retry(message, found));
    if (kafka.topics().containsKey(kafka.longTopic())) {
      scan(kafka.longTopic(), since, message -> demoted(message, found));
    } else {
      notes.add(
          "topic %s of demoted tasks is not in kafka_topics and was not read"
              .formatted(kafka.longTopic()));
    }
    return found;
  }

  private void deadLetter(ConsumerRecord<byte[], byte[]> message, List<AuditEntry> found) {
    DeadLetter letter = DeadLetter.read(message);
    Integer index =
        letter.topic().equals(topic.name())
            ? letter.origin().map(byOrigin::get).orElse(null)
            : letter.topic().isEmpty() ? byId.get(letter.id()) : null;
    if (index != null) {
      found.set(
          index,
          found
              .get(index)
              .with(
                  Outcome.DEAD_LETTERED,
                  "%s %s%s"
                      .formatted(
                          message.topic(),
                          letter.position(),
                          letter.reason().isEmpty() ? "" : ": " + letter.reason())));
    }
  }

  private void retry(ConsumerRecord<byte[], byte[]> message, List<AuditEntry> found) {
    Integer index = byRetryId.get(id(message));
    if (index != null) {
      found.set(index, found.get(index).with(Outcome.RETRIED, place(message)));
    }
  }

  private void demoted(ConsumerRecord<byte[], byte[]> message, List<AuditEntry> found) {
    Integer index = byId.get(id(message));
    boolean itself =
        index != null
            && message.topic().equals(topic.name())
            && message.offset() == found.get(index).offset();
    if (index != null && !itself) {
      found.set(index, found.get(index).with(Outcome.FORWARDED, place(message)));
    }
  }

  private static String id(ConsumerRecord<byte[], byte[]> message) {
    try {
      return message.value() == null ? "" : TaskActivation.parseFrom(message.value()).getId();
    } catch (InvalidProtocolBufferException _) {
      return "";
    }
  }

  private static String place(ConsumerRecord<byte[], byte[]> message) {
    return message.topic() + " " + new Position(message.partition(), message.offset());
  }

  /// Reads a topic from a time on.
  private void scan(String name, long since, Consumer<ConsumerRecord<byte[], byte[]>> visitor) {
    ClusterConfig cluster = kafka.clusterOf(name);
    Optional<TopicScan> opened = TopicScan.open(cluster, name);
    if (opened.isEmpty()) {
      notes.add("topic %s does not exist".formatted(name));
      return;
    }
    try (TopicScan scan = opened.get()) {
      var left = new long[] {MAX_SCANNED};
      scan.ranges()
          .forEach((partition, range) -> {
            long reached =
                scan.read(
                    partition,
                    since == Long.MAX_VALUE
                        ? range.begin()
                        : scan.firstAt(partition, Math.max(0, since - CLOCK_DIFFERENCE_MS)),
                    range.end(),
                    message -> {
                      visitor.accept(message);
                      return --left[0] > 0;
                    });
            if (reached < range.end()) {
              notes.add(
                  "topic %s, partition %d was read up to offset %d only: later ends are missing"
                      .formatted(name, partition, reached));
            }
          });
    }
  }
}
