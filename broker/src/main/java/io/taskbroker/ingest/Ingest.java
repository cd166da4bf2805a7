package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The stage that reads Kafka: one consumer, and one thread, for each topic.
///
/// What it hands over is bounded by what the engine has settled by [#consumed]; an offset is
/// committed only when the engine said that everything below it is durable (G1). A Kafka that is
/// down, a topic that does not exist and credentials that are refused are logged and tried again
/// for ever ([ReadFailure]); a second broker under the same instance id ends the process.
public final class Ingest implements Service, Progress {
  private final Map<String, TopicConsumer> consumers = new LinkedHashMap<>();
  private final PartitionOwnership custody;
  private volatile boolean running;

  /// @param sources the topics, each of them once
  /// @param custody what is stored of partitions, asked by [#start] and when they come and go
  /// @param failures where to report that a topic cannot be read any more
  public Ingest(
      List<TopicSource> sources,
      PartitionOwnership custody,
      CommandSink intake,
      IngestOptions options,
      FailureSink failures,
      Metrics metrics) {
    var memory = new IntakeMemory(options.limits().totalBytes());
    for (TopicSource source : sources) {
      var consumer = new TopicConsumer(source, options, custody, intake, memory, metrics, failures);
      if (consumers.put(source.topic(), consumer) != null) {
        throw new IllegalArgumentException("Topic " + source.topic() + " is given twice");
      }
    }
    this.custody = custody;
  }

  @Override
  public String name() {
    return "ingest";
  }

  /// Returns at once, whether Kafka can be reached or not.
  @Override
  public void start() {
    List<Watermark> watermarks = custody.watermarks();
    running = true;
    consumers.values().forEach(consumer -> consumer.start(watermarks));
  }

  /// Gives all partitions up: what the engine makes durable within 3 seconds is committed, the
  /// groups are left. Needs an engine that still runs.
  @Override
  public void stop() {
    running = false;
    Collection<TopicConsumer> all = consumers.values();
    all.forEach(TopicConsumer::askToStop);
    all.forEach(TopicConsumer::awaitStop);
  }

  /// The engine says that everything of the partition below `nextOffset` is durable, by which
  /// `records` of `bytes` are settled; for `urgent`, see [io.taskbroker.inflight.Effects#consumed].
  /// Thread-safe, does not block; partitions that are not this stage's are ignored.
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.ledgers().consumed(partition, nextOffset, records, bytes, urgent);
    }
  }

  /// The engine says that the partition stands for an application at its limit, or for none if that
  /// is null. Thread-safe, does not block.
  public void stands(SourcePartition partition, @Nullable String application) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.ledgers().stands(partition, application);
    }
  }

  /// The engine says that nothing of the revoked partition is under way any more, lost partitions
  /// included. Thread-safe, does not block.
  public void drained(SourcePartition partition) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.ledgers().drained(partition);
    }
  }

  /// The engine says that the store gave the partition to another broker. Thread-safe, does not
  /// block.
  public void lost(SourcePartition partition) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.ledgers().lost(partition);
    }
  }

  /// How often a log had lost the offset that was to be read next: records were lost (H5).
  public long offsetsOutOfRange() {
    return consumers.values().stream().mapToLong(TopicConsumer::outOfRange).sum();
  }

  /// True while it runs: there is always Kafka to be polled, also when it is paused or down. As
  /// long as the name of a cluster cannot be resolved there is nothing to poll: that is an outage
  /// of Kafka like any other, and none of the broker (H25).
  @Override
  public boolean hasWork() {
    return running && consumers.values().stream().anyMatch(TopicConsumer::isReading);
  }

  /// Why Kafka lets none of the topics be read, and never did: one that can be read is worked on,
  /// so that the others are no reason to stop giving out its tasks (G8, G9).
  @Override
  public String obstacle() {
    List<String> refusals = consumers.values().stream().map(TopicConsumer::refusal).toList();
    return refusals.contains("") ? "" : String.join("; ", refusals);
  }

  /// The rounds of the slowest consumer, so that one that hangs is not hidden by the others.
  @Override
  public long done() {
    return consumers.values().stream()
        .filter(TopicConsumer::isReading)
        .mapToLong(TopicConsumer::rounds)
        .min()
        .orElse(0);
  }
}
