package io.taskbroker.audit;

import io.taskbroker.activation.Status;
import io.taskbroker.audit.TopicRecords.Known;
import io.taskbroker.config.ClusterConfig;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.config.TopicConfig;
import io.taskbroker.deadletter.DeadLetterException;
import io.taskbroker.deadletter.TopicScan;
import io.taskbroker.ingest.OffsetMetadata;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.store.OffsetLookup.Held;
import io.taskbroker.store.OffsetLookup.Task;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/// Conservation audit of a range of a topic: what became of each record. One thread.
///
/// The order of reading makes it correct beside running brokers: first the committed offsets, then
/// the store, as of one moment, and then the topics that tasks end in. A row below a committed
/// offset was stored before that moment (G1); a forwarded row that the store no longer has then was
/// acknowledged by Kafka before (G4).
public final class Audit {
  /// Largest number of records of one audit.
  public static final int MAX_RECORDS = 1_000_000;

  private static final long SAMPLED_OFFSETS = 100_000;

  private final KafkaConfig kafka;
  private final TopicConfig topic;
  private final ClusterConfig cluster;
  private final OffsetLookup store;
  private final List<String> notes = new ArrayList<>();

  private Audit(KafkaConfig kafka, TopicConfig topic, OffsetLookup store) {
    this.kafka = kafka;
    this.topic = topic;
    this.cluster = kafka.clusterOf(topic.name());
    this.store = store;
  }

  /// Audits the offsets `from` to `to - 1` of one partition, or of all.
  ///
  /// @param topic a consumed topic of the configuration
  /// @param partition the only partition; all if empty
  /// @param ends whether to look for what has ended in the topics of dead letters, retries and
  ///   demoted tasks, which are read from the time of the oldest record on
  /// @throws DeadLetterException if the topic is not consumed or does not exist, the range has more
  ///   than 1,000,000 records, or Kafka does not answer
  /// @throws io.taskbroker.store.StoreException if the store cannot be read
  public static AuditReport run(
      KafkaConfig kafka,
      String topic,
      OptionalInt partition,
      long from,
      long to,
      boolean ends,
      OffsetLookup store) {
    TopicConfig declared = kafka.topics().get(topic);
    if (declared == null || declared.produceOnly()) {
      throw new DeadLetterException("Topic " + topic + " is not one that the broker consumes");
    }
    return new Audit(kafka, declared, store).run(partition, from, to, ends);
  }

  /// Audits some records below the committed offset of one partition, by offsets and store only.
  ///
  /// @param records number of records, 1 to 1,000,000
  /// @param random chooses them, among the last 100,000
  /// @throws DeadLetterException as for [#run]
  /// @throws io.taskbroker.store.StoreException if the store cannot be read
  public static AuditReport sample(
      KafkaConfig kafka,
      TopicConfig topic,
      int records,
      RandomGenerator random,
      OffsetLookup store) {
    var read =
        CommittedOffsets.of(kafka.clusterOf(topic.name()), topic.consumerGroup())
            .entrySet()
            .stream()
            .filter(it -> it.getKey().topic().equals(topic.name()) && it.getValue().offset() > 0)
            .toList();
    if (read.isEmpty()) {
      return new AuditReport(List.of(), List.of());
    }
    var chosen = read.get(random.nextInt(read.size()));
    long end = chosen.getValue().offset();
    long to = Math.max(Math.min(end, records), end - random.nextLong(SAMPLED_OFFSETS));
    return new Audit(kafka, topic, store)
        .run(OptionalInt.of(chosen.getKey().partition()), to - records, to, false);
  }

  private AuditReport run(OptionalInt only, long from, long to, boolean ends) {
    Map<TopicPartition, OffsetAndMetadata> committed =
        CommittedOffsets.of(cluster, topic.consumerGroup());
    var entries = new ArrayList<AuditEntry>();
    var known = new ArrayList<TopicRecords>();
    try (TopicScan scan = open()) {
      for (int partition : partitions(scan, only)) {
        TopicScan.Range range = scan.ranges().getOrDefault(partition, new TopicScan.Range(0, 0));
        long begin = Math.max(0, from);
        long end = Math.min(to, range.end());
        if (entries.size() + Math.max(0, end - begin) > MAX_RECORDS) {
          throw new DeadLetterException(
              "More than %,d records: audit a smaller range".formatted(MAX_RECORDS));
        }
        if (begin < end) {
          TopicRecords records =
              TopicRecords.read(scan, partition, begin, end, topic.raw().isPresent());
          known.add(records);
          Held held =
              store.read(
                  topic.consumerGroup(), topic.name(), scan.topicId(), partition, begin, end);
          var judge = new Judge(scan, partition, held, committed);
          for (long offset = begin; offset < end; offset++) {
            entries.add(judge.entry(offset, records.byOffset().get(offset)));
          }
        }
      }
    }
    List<AuditEntry> marked = markDuplicates(entries);
    return new AuditReport(
        ends ? new Ends(kafka, topic, notes).find(marked, known) : marked, notes);
  }

  private TopicScan open() {
    return TopicScan.open(cluster, topic.name())
        .orElseThrow(() ->
            new DeadLetterException(
                "Topic %s does not exist at %s".formatted(topic.name(), cluster.address())));
  }

  private Iterable<Integer> partitions(TopicScan scan, OptionalInt only) {
    if (only.isEmpty()) {
      return scan.ranges().keySet();
    }
    if (!scan.ranges().containsKey(only.getAsInt())) {
      throw new DeadLetterException(
          "Topic %s has no partition %d".formatted(topic.name(), only.getAsInt()));
    }
    return Set.of(only.getAsInt());
  }

  /// A record whose id an earlier one of the range has is a duplicate, unless it is in the store
  /// itself: it was dropped if it arrived while the earlier one was in flight, or within the
  /// duplicate window after it ended.
  private static List<AuditEntry> markDuplicates(List<AuditEntry> entries) {
    var first = new HashMap<String, AuditEntry>();
    var marked = new ArrayList<AuditEntry>(entries.size());
    for (AuditEntry entry : entries) {
      AuditEntry earlier = entry.id().isEmpty() ? null : first.putIfAbsent(entry.id(), entry);
      marked.add(
          earlier != null && entry.outcome() == Outcome.ENDED
              ? entry.with(Outcome.DUPLICATE, "of " + earlier.partition() + ":" + earlier.offset())
              : entry);
    }
    return marked;
  }

  /// Decides by store and offsets about the records of one partition.
  private final class Judge {
    private final int partition;
    private final long retained;
    private final OptionalLong next;
    private final long committed;
    private final boolean ownCommit;
    private final Map<Long, Task> tasks = new HashMap<>();

    Judge(
        TopicScan scan,
        int partition,
        Held held,
        Map<TopicPartition, OffsetAndMetadata> committedOffsets) {
      this.partition = partition;
      retained = scan.ranges().getOrDefault(partition, new TopicScan.Range(0, 0)).begin();
      next = held.next();
      OffsetAndMetadata commit = committedOffsets.get(new TopicPartition(topic.name(), partition));
      committed = commit == null ? 0 : commit.offset();
      ownCommit =
          commit != null
              && OffsetMetadata.of(commit.metadata())
                  .filter(it -> it.topicId().equals(scan.topicId()))
                  .filter(it -> isOf(it.store(), held.store()))
                  .isPresent();
      held.tasks().forEach(task -> tasks.put(task.offset(), task));
      if (next.isEmpty() && committed > 0) {
        notes.add(
            "partition %d: this store has no watermark; below the committed offset %d, another store or a broker of the reference has read it"
                .formatted(partition, committed));
      }
    }

    /// Names of brokers on Postgres end with the number of the member.
    private static boolean isOf(String committer, String store) {
      return !store.isEmpty() && (committer.equals(store) || committer.startsWith(store + "-"));
    }

    AuditEntry entry(long offset, @Nullable Known known) {
      Task task = tasks.get(offset);
      String id = task != null ? task.id() : known == null ? "" : known.id();
      var entry = new AuditEntry(partition, offset, id, Outcome.UNKNOWN, "");
      if (task != null) {
        return entry.with(outcome(task), detail(task));
      }
      boolean read = offset < Math.max(next.orElse(0), committed);
      if (known == null && offset >= retained) {
        return entry.with(Outcome.NO_RECORD, "");
      }
      if (!read) {
        return entry.with(offset < retained ? Outcome.EXPIRED_UNREAD : Outcome.NOT_READ, "");
      }
      if (offset < next.orElse(0)) {
        return entry.with(
            offset < retained ? Outcome.NOT_RETAINED : Outcome.ENDED,
            "below the watermark " + next.getAsLong());
      }
      return entry.with(
          ownCommit ? Outcome.UNACCOUNTED : Outcome.UNKNOWN,
          "below the committed offset " + committed);
    }

    private static Outcome outcome(Task task) {
      if (!task.forwardTopic().isEmpty()) {
        return Outcome.FORWARDING;
      } else if (task.status() == Status.DELAY && task.delayUntil() > System.currentTimeMillis()) {
        return Outcome.DELAYED;
      } else if (task.parked()) {
        return Outcome.PARKED;
      }
      return task.status().isHandedOut() ? Outcome.WITH_WORKER : Outcome.WAITING;
    }

    private static String detail(Task task) {
      return task.forwardTopic().isEmpty() ? task.status().storedName() : task.forwardTopic();
    }
  }
}
