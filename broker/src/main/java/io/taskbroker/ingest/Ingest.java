package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.OffsetPort;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.HealthSource;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Stage that reads Kafka, with one consumer and one thread for each topic.
///
/// [#consumed] settles records; the unsettled ones are bounded. The stage commits an offset only
/// when the engine has reported everything below it durable (G1). If Kafka is down, a topic does
/// not exist, or credentials are refused, the stage logs that and retries for ever ([ReadFailure]);
/// a second broker with the same instance id ends the process.
public final class Ingest implements Service, Progress, OffsetPort, HealthSource {
  private final Map<String, TopicConsumer> consumers = new LinkedHashMap<>();
  private final PartitionOwnership ownership;
  private volatile boolean running;

  /// @param sources the topics; each once
  /// @param ownership of partitions and their rows; asked by [#start] and at each rebalance
  /// @param failures receives the failure that ends the reading of a topic
  public Ingest(
      List<TopicSource> sources,
      PartitionOwnership ownership,
      CommandSink commands,
      IngestOptions options,
      FailureSink failures,
      Metrics metrics) {
    var memory = new IntakeMemory(options.limits().totalBytes());
    for (TopicSource source : sources) {
      var consumer =
          new TopicConsumer(source, options, ownership, commands, memory, metrics, failures);
      if (consumers.put(source.topic(), consumer) != null) {
        throw new IllegalArgumentException("Topic " + source.topic() + " is given twice");
      }
    }
    this.ownership = ownership;
  }

  @Override
  public String name() {
    return "ingest";
  }

  /// Returns at once, whether Kafka is reachable or not.
  @Override
  public void start() {
    List<Watermark> watermarks = ownership.watermarks();
    running = true;
    consumers.values().forEach(consumer -> consumer.start(watermarks));
  }

  /// Releases all partitions: commits what the engine makes durable within 3 seconds, and leaves
  /// the groups. The engine must still run.
  @Override
  public void stop() {
    running = false;
    Collection<TopicConsumer> all = consumers.values();
    all.forEach(TopicConsumer::askToStop);
    all.forEach(TopicConsumer::awaitStop);
  }

  /// Settles `records` of `bytes`: the engine reports everything of the partition below
  /// `nextOffset` durable. For `urgent`, see [OffsetPort#consumed]. Thread-safe, does not block;
  /// ignores partitions of other stages.
  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.offsets().consumed(partition, nextOffset, records, bytes, urgent);
    }
  }

  /// Marks the partition as waiting for an application at its limit; for none if that is null.
  /// Thread-safe, does not block.
  @Override
  public void waitsForRoom(SourcePartition partition, @Nullable String application) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.offsets().waitsForRoom(partition, application);
    }
  }

  /// Reports that the engine has nothing in flight of the revoked partition, lost partitions
  /// included. Thread-safe, does not block.
  @Override
  public void drained(SourcePartition partition) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.offsets().drained(partition);
    }
  }

  /// Reports that the store gave the partition to another broker. Thread-safe, does not block.
  @Override
  public void lost(SourcePartition partition) {
    TopicConsumer consumer = consumers.get(partition.topic());
    if (consumer != null) {
      consumer.offsets().lost(partition);
    }
  }

  /// How often a log no longer had the next offset to read: records were lost (H5).
  public long offsetsOutOfRange() {
    return consumers.values().stream().mapToLong(TopicConsumer::outOfRange).sum();
  }

  /// True while the stage runs, also when it is paused or Kafka is down: there is always a poll to
  /// do. False while the name of no cluster can be resolved, as there is nothing to poll; that is
  /// an outage of Kafka, not of the broker (H25).
  @Override
  public boolean hasWork() {
    return running && consumers.values().stream().anyMatch(TopicConsumer::isReading);
  }

  /// Why Kafka has refused every topic since the start; empty if one topic can be read. Its tasks
  /// are worked on, so refusals of other topics do not stop the delivery of tasks (G8, G9).
  @Override
  public String obstacle() {
    List<String> refusals = consumers.values().stream().map(TopicConsumer::refusal).toList();
    return refusals.contains("") ? "" : String.join("; ", refusals);
  }

  @Override
  public List<Condition> conditions() {
    return consumers.values().stream().flatMap(each -> each.condition().stream()).toList();
  }

  /// Rounds of the slowest consumer, so that a stuck one is not hidden by the others.
  @Override
  public long done() {
    return consumers.values().stream()
        .filter(TopicConsumer::isReading)
        .mapToLong(TopicConsumer::rounds)
        .min()
        .orElse(0);
  }
}
