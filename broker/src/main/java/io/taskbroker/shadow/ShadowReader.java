package io.taskbroker.shadow;

import io.taskbroker.activation.Activation;
import io.taskbroker.audit.CommittedOffsets;
import io.taskbroker.config.ClusterConfig;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.TopicScan;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.Rules.Decision;
import io.taskbroker.ingest.IngestOptions;
import io.taskbroker.ingest.RecordPreview;
import io.taskbroker.ingest.RecordPreview.Preview;
import io.taskbroker.ingest.TopicSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/// Reader of one topic beside the broker that consumes it: says of each record what this broker
/// would do with it. Belongs to no consumer group and commits nothing. One thread.
public final class ShadowReader implements AutoCloseable {
  /// Ids that are remembered to find duplicates; of more, the oldest are forgotten.
  private static final int MAX_IDS = 1_000_000;

  private final TopicScan scan;
  private final RecordPreview preview;
  private final Rules rules;
  private final Predicate<String> hasWorker;
  private final ShadowReport.Topic report;
  private final SortedMap<Integer, Long> positions = new TreeMap<>();
  private final Map<String, Boolean> ids =
      new LinkedHashMap<>() {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
          return size() > MAX_IDS;
        }
      };

  /// Position in a partition at the start of the reading.
  public enum From {
    /// The committed offset of the consumer group; the end where it has none.
    COMMITTED,
    /// The first record that Kafka retains.
    EARLIEST,
    /// The end.
    LATEST
  }

  /// Opens the topic and finds where to begin.
  ///
  /// @param hasWorker whether a worker serves an application
  /// @param report receives the verdicts
  /// @throws DeadLetterException if the topic does not exist, or Kafka does not answer
  public ShadowReader(
      TopicSource source,
      ClusterConfig cluster,
      IngestOptions options,
      Rules rules,
      Predicate<String> hasWorker,
      From from,
      ShadowReport report) {
    this.rules = rules;
    this.hasWorker = hasWorker;
    this.report = report.topic(source.topic());
    scan =
        TopicScan.open(cluster, source.topic())
            .orElseThrow(() ->
                new DeadLetterException(
                    "Topic %s does not exist at %s; create it, or correct kafka_topics"
                        .formatted(source.topic(), cluster.address())));
    preview = new RecordPreview(source, options);
    Map<TopicPartition, OffsetAndMetadata> committed =
        from == From.COMMITTED ? CommittedOffsets.of(cluster, source.group()) : Map.of();
    scan.ranges()
        .forEach((partition, range) -> {
          OffsetAndMetadata commit = committed.get(new TopicPartition(source.topic(), partition));
          long latest = commit == null ? range.end() : commit.offset();
          positions.put(partition, from == From.EARLIEST ? range.begin() : latest);
        });
  }

  /// Reads to the present end of each partition.
  ///
  /// @return the number of records read
  /// @throws DeadLetterException if Kafka does not answer, or a record cannot be read
  public long readToEnd() {
    scan.refresh();
    var count = new long[1];
    positions.replaceAll((partition, position) ->
        scan.read(
            partition,
            position,
            Long.MAX_VALUE,
            message -> {
              judge(message);
              count[0]++;
              return true;
            }));
    return count[0];
  }

  private void judge(ConsumerRecord<byte[], byte[]> message) {
    long now = System.currentTimeMillis();
    Preview record = preview.decode(scan.topicId(), message, now);
    Activation task = record.activation();
    Verdict verdict = verdict(record, now);
    String detail = record.flaw() != null ? record.flaw() : task.taskname() + ", id " + task.id();
    report.add(
        verdict,
        record.flaw() == null && task.atMostOnce(),
        "partition %d, offset %d: %s".formatted(message.partition(), message.offset(), detail));
  }

  private Verdict verdict(Preview record, long now) {
    Activation task = record.activation();
    if (record.flaw() != null) {
      return Verdict.UNDECODABLE;
    }
    if (ids.putIfAbsent(task.id(), true) != null) {
      return Verdict.DUPLICATE;
    }
    switch (rules.judge(task)) {
      case Decision.Killed _ -> {
        return Verdict.SWITCHED_OFF;
      }
      case Decision.Demoted _ -> {
        return Verdict.DEMOTED;
      }
      case Decision.Kept _ -> {}
    }
    if (task.expiresAt() <= now) {
      return Verdict.EXPIRED;
    }
    if (record.delayClamped()) {
      return Verdict.DELAY_CLAMPED;
    }
    if (!hasWorker.test(task.application())) {
      return Verdict.NO_WORKER;
    }
    return task.delayUntil() > now ? Verdict.DELAY : Verdict.DELIVER;
  }

  @Override
  public void close() {
    preview.close();
    scan.close();
  }
}
