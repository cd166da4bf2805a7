package io.taskbroker.simulation;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.SystemContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a broker's process reads from Kafka with: a reader for each topic, with a thread and a
/// consumer of its own, wired as `Ingest` wires them.
final class Readers {
  private final BrokerRun run;
  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final PartitionOwnership custody;
  private final CommandSink intake;
  private final SystemContext surroundings;
  private final Map<String, SteppedReader> readers = new LinkedHashMap<>();
  private final List<SimulatedConsumer> consumers = new ArrayList<>();
  private final List<Actor> threads = new ArrayList<>();

  Readers(
      BrokerRun run,
      SimulatedWorld world,
      SeedPlan plan,
      PartitionOwnership custody,
      CommandSink intake,
      SystemContext surroundings) {
    this.custody = custody;
    this.run = run;
    this.world = world;
    this.plan = plan;
    this.intake = intake;
    this.surroundings = surroundings;
  }

  void start() {
    List<Watermark> stored = custody.watermarks();
    for (SimulatedKafka.Topic topic : run.broker.kafka.read()) {
      start(topic, stored);
    }
  }

  private void start(SimulatedKafka.Topic topic, List<Watermark> stored) {
    Actor[] thread = new Actor[1];
    var consumer =
        new SimulatedConsumer(
            run,
            run.broker.kafka,
            topic,
            () -> {
              if (thread[0] != null) {
                thread[0].wake(run.latency());
              }
            });
    var described =
        new SteppedReader.Topic(
            topic.name(),
            () -> run.broker.kafka.id(topic.name()),
            "group",
            () -> topic.partitions().size(),
            plan.latest() && topic.name().equals(SimulatedKafka.TASKS),
            Duration.ofSeconds(1),
            topic.name().equals(SimulatedKafka.RAW) ? Spec.RAW_TASK : null,
            run.broker.tampering.ends(topic::end));
    var reader =
        new SteppedReader(
            described,
            run.broker.tampering.consumer(consumer, run),
            run.broker.name,
            custody,
            intake,
            surroundings,
            run::nap);
    reader.remember(stored);
    readers.put(topic.name(), reader);
    consumers.add(consumer);
    thread[0] = new Actor(run, world, "reader of " + topic.name(), reader::turn);
    threads.add(thread[0]);
    thread[0].wake(world.between(0, 50 * SimulatedWorld.MS));
  }

  /// Tells the reader of a partition what of it is durable.
  void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.consumed(partition, nextOffset, records, bytes, urgent);
    }
  }

  void stands(SourcePartition partition, @Nullable String application) {
    SteppedReader reader = readers.get(partition.topic());
    if (reader != null) {
      reader.stands(partition, application);
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

  /// Gives everything up in order, and leaves the groups.
  void stop() {
    threads.forEach(Actor::end);
    readers.values().forEach(SteppedReader::stop);
    consumers.forEach(SimulatedConsumer::leave);
  }
}
