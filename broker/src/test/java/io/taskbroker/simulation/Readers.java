package io.taskbroker.simulation;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Kafka readers of a broker process: one per topic, with its own thread and consumer, wired like
/// in `Ingest`.
final class Readers {
  private final SimulatedProcess process;
  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final PartitionOwnership ownership;
  private final CommandSink sink;
  private final SystemContext context;
  private final Map<String, SteppedReader> readers = new LinkedHashMap<>();
  private final List<SimulatedConsumer> consumers = new ArrayList<>();
  private final List<Actor> threads = new ArrayList<>();

  Readers(
      SimulatedProcess process,
      SimulatedWorld world,
      SeedPlan plan,
      PartitionOwnership ownership,
      CommandSink sink,
      SystemContext context) {
    this.ownership = ownership;
    this.process = process;
    this.world = world;
    this.plan = plan;
    this.sink = sink;
    this.context = context;
  }

  void start() {
    List<Watermark> stored = ownership.watermarks();
    for (SimulatedKafka.Topic topic : process.broker.kafka.read()) {
      start(topic, stored);
    }
  }

  private void start(SimulatedKafka.Topic topic, List<Watermark> stored) {
    Actor[] thread = new Actor[1];
    var consumer =
        new SimulatedConsumer(
            process,
            process.broker.kafka,
            topic,
            () -> {
              if (thread[0] != null) {
                thread[0].wake(process.latency());
              }
            });
    var described =
        new SteppedReader.Topic(
            topic.name(),
            () -> process.broker.kafka.id(topic.name()),
            "group",
            () -> topic.partitions().size(),
            plan.latest() && topic.name().equals(SimulatedKafka.TASKS),
            Duration.ofSeconds(1),
            topic.name().equals(SimulatedKafka.RAW) ? Spec.RAW_TASK : null,
            process.broker.tampering.log(topic));
    var reader =
        new SteppedReader(
            described,
            process.broker.tampering.consumer(consumer, process),
            plan.shared() ? "database-" + process.broker.name : process.broker.name,
            ownership,
            sink,
            context,
            process::block);
    reader.remember(stored);
    readers.put(topic.name(), reader);
    consumers.add(consumer);
    thread[0] = new Actor(process, world, "reader of " + topic.name(), reader::turn);
    threads.add(thread[0]);
    thread[0].wake(world.between(0, 50 * SimulatedWorld.MS));
  }

  /// Reports to the reader of a partition which of its records are durable.
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.consumed(partition, nextOffset, records, bytes, urgent);
    }
  }

  void waitsForRoom(SourcePartition partition, @Nullable String application) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.waitsForRoom(partition, application);
    }
  }

  void drained(SourcePartition partition) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.drained(partition);
    }
  }

  void lost(SourcePartition partition) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.lost(partition);
    }
  }

  /// Releases all partitions in order, and leaves the groups.
  void stop() {
    threads.forEach(Actor::end);
    readers.values().forEach(SteppedReader::stop);
    consumers.forEach(SimulatedConsumer::leave);
  }
}
