package io.taskbroker.ingest;

import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.jspecify.annotations.Nullable;

/// Real [TopicReader] with real ledgers, commits, partitions, starting offsets, decoder and
/// submitter, stepped by a simulation.
public final class SteppedReader {
  private static final long RETRY_NANOS = TopicReader.RETRY_AFTER.toNanos();

  /// Records that the engine may have before reading pauses.
  public static final int READ_AHEAD = 16;

  private static final Metrics METRICS = new Metrics(); // never read

  private final Consumer<byte[], byte[]> consumer;
  private final SystemContext system;
  private final PartitionOffsets offsets;
  private final AssignedPartitions partitions;
  private final TopicReader reader;
  private long notBefore;

  /// Topic that a simulated broker reads.
  ///
  /// @param id current UUID of the topic, and `partitions` its current number of partitions
  /// @param raw the task whose arguments the records are; null if they are activations
  public record Topic(
      String name,
      Supplier<String> id,
      String group,
      IntSupplier partitions,
      boolean latest,
      Duration interval,
      @Nullable RawTask raw,
      Log log) {}

  /// The logs of a topic's partitions.
  public interface Log {
    long end(int partition);

    /// The end of what a partition has of a leader epoch and those before it.
    long end(int partition, int leaderEpoch);

    /// The current leader epoch.
    int epoch(int partition);

    /// The record at an offset; null if there is none.
    @Nullable RecordIdentity record(int partition, long offset);

    /// Offset of the first record that is younger; negative if there is none.
    long firstAfter(int partition, long timestamp);
  }

  /// Sleep of the reader while it waits until the engine has drained a partition.
  @FunctionalInterface
  public interface Nap {
    void sleep(long millis);
  }

  /// @param member name of the store in offset metadata
  public SteppedReader(
      Topic topic,
      Consumer<byte[], byte[]> consumer,
      String member,
      PartitionOwnership ownership,
      CommandSink commands,
      SystemContext system,
      Nap nap) {
    var metadataFormat = OffsetMetadataFormat.of(member, ownership);
    this.consumer = consumer;
    this.system = system;
    this.offsets = new PartitionOffsets(READ_AHEAD, 1 << 20, new World(nap, system));
    this.notBefore = system.ticker().nanoTime();
    var source =
        new TopicSource(
            topic.name(),
            topic.group(),
            Map.of("bootstrap.servers", "simulated:1"),
            Duration.ofSeconds(6),
            topic.interval(),
            topic.latest() ? "latest" : "earliest");
    var commits =
        new OffsetCommits(
            consumer,
            offsets,
            metadataFormat,
            commands,
            topic.interval(),
            system.ticker()::nanoTime);
    var finder =
        new PositionFinder(
            source,
            consumer,
            () ->
                new PositionFinder.Topic(
                    "simulated", topic.id().get(), topic.partitions().getAsInt()),
            offsets,
            metadataFormat,
            ownership,
            read -> cuts(topic.log(), read));
    var counts = new TopicCounts(topic.name(), METRICS);
    RecordDecoder decoder =
        topic.raw() == null
            ? new ActivationDecoder(86_400, 1 << 20, new TimeWarnings(counts))
            : new RawDecoder(topic.raw(), 1 << 20, (_, _) -> {});
    this.partitions =
        new AssignedPartitions(
            consumer, finder, commits, offsets, commands, counts, system.ticker()::nanoTime);
    this.reader =
        new TopicReader(
            consumer,
            offsets,
            commits,
            partitions,
            new RecordSubmitter(decoder, offsets, commands, counts),
            new Lookahead(decoder, offsets, partitions, commands),
            new PollBudget(IntakeMemory.unbounded()),
            system);
    consumer.subscribe(List.of(topic.name()), partitions);
  }

  private static Map<TopicPartition, LogProbe.Cut> cuts(
      Log log, Map<TopicPartition, RecordIdentity> read) {
    var cuts = new HashMap<TopicPartition, LogProbe.Cut>();
    read.forEach((partition, last) -> {
      LogProbe.Cut cut = last.leaderEpoch() < 0 ? null : cut(log, partition.partition(), last);
      if (cut != null) {
        cuts.put(partition, cut);
      }
    });
    return cuts;
  }

  /// The decision of [KafkaLogProbe].
  private static LogProbe.@Nullable Cut cut(Log log, int partition, RecordIdentity last) {
    long younger = log.firstAfter(partition, last.timestamp());
    long kept = log.end(partition, last.leaderEpoch());
    boolean known = last.leaderEpoch() <= log.epoch(partition);
    if (known && kept <= last.offset()) {
      return younger >= 0 && younger < kept
          ? new LogProbe.Cut(younger, false)
          : new LogProbe.Cut(kept, true);
    }
    RecordIdentity found = log.record(partition, last.offset());
    boolean beyond = log.end(partition) <= last.offset();
    if (known && !beyond && (found == null || found.equals(last))) {
      return null;
    }
    return younger >= 0 && younger <= last.offset()
        ? new LogProbe.Cut(younger, false)
        : new LogProbe.Cut(beyond ? log.end(partition) : 0, false);
  }

  /// Whether a store lacks a transaction that committed offsets name, as [StoreHistory] decides.
  public static boolean isLacking(
      String store, Predicate<StorePosition> lacks, Stream<OffsetAndMetadata> committed) {
    return StoreHistory.isLacking(store, lacks, committed);
  }

  public void remember(Collection<Watermark> stored) {
    offsets.remember(stored);
  }

  public void consumed(
      SourcePartition partition, long next, int records, long bytes, boolean urgent) {
    offsets.consumed(partition, next, records, bytes, urgent);
  }

  public void waitsForRoom(SourcePartition partition, @Nullable String application) {
    offsets.waitsForRoom(partition, application);
  }

  public void drained(SourcePartition partition) {
    offsets.drained(partition);
  }

  public void lost(SourcePartition partition) {
    offsets.lost(partition);
  }

  /// Releases all partitions in order, as the thread does when it stops.
  public void stop() {
    partitions.releaseAll(Duration.ofSeconds(3));
  }

  /// Runs one turn of the loop.
  ///
  /// @return nanoseconds until the next turn if no record arrives before
  public long turn() {
    long now = system.ticker().nanoTime();
    if (notBefore - now > 0) {
      return notBefore - now;
    }
    try {
      TopicReader.End end = reader.turn(Unobserved.TOPIC);
      if (end == TopicReader.End.CUT_SHORT) {
        return 0;
      }
      // The wake-up that would end a poll happens between two turns here.
      boolean sleeps = offsets.sleep(consumer::wakeup);
      return sleeps && end == TopicReader.End.NOTHING ? reader.untilDue().toNanos() : 0;
    } catch (FencedInstanceIdException e) {
      throw new IllegalStateException("Another broker runs under this name", e);
    } catch (KafkaException _) {
      notBefore = system.ticker().nanoTime() + RETRY_NANOS;
      return RETRY_NANOS;
    }
  }

  /// Observer of a simulated topic that ignores everything; a start detects a recreated topic.
  private enum Unobserved implements TopicReader.Observer {
    TOPIC;

    @Override
    public boolean isRecreated(String topicId) {
      return false;
    }

    @Override
    public void readable() {}

    @Override
    public void idle() {}

    @Override
    public void failed(KafkaException failure) {}

    @Override
    public void notGranted(PartitionOwnership.Unavailable why) {}
  }

  private record World(Nap nap, SystemContext system) implements PartitionOffsets.Waiting {
    @Override
    public void await(Object monitor, long millis) {
      nap.sleep(millis);
    }

    @Override
    public long nanoTime() {
      return system.ticker().nanoTime();
    }
  }
}
