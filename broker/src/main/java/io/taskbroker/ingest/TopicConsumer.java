package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.ingest.fetch.BoundedConsumer;
import io.taskbroker.ingest.fetch.FetchLimits;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.ingest.fetch.LogEnds;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Thread of a [TopicReader] with its Kafka client. It creates the client once the cluster's name
/// can be resolved, and closes it at the end. It retries whatever Kafka does; only another broker
/// with the same instance id, or a defect, makes it fail (G9).
final class TopicConsumer {
  private static final Logger log = LoggerFactory.getLogger(TopicConsumer.class);

  /// A refusal lasts longer than an outage, since an operator must fix its cause.
  private static final Duration REFUSED_RETRY_AFTER = Duration.ofSeconds(3);

  private static final Duration STOP_DRAIN_TIMEOUT = Duration.ofSeconds(3);
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(12);

  private final TopicSource source;
  private final IngestOptions options;
  private final OffsetMetadataFormat metadataFormat;
  private final CommandSink commands;
  private final PartitionOwnership ownership;
  private final FailureSink failures;
  private final PartitionOffsets offsets;
  private final PollBudget budget;
  private final RecordDecoder decoder;
  private final RecordSubmitter submitter;
  private final TopicProblemLog problems;
  private final TopicIdentity identity;
  private final CountDownLatch stopAsked = new CountDownLatch(1);
  private final AtomicLong rounds = new AtomicLong();
  private final AtomicLong connections = new AtomicLong();
  private final TopicCounts counts;
  private volatile boolean reading;
  private @Nullable Thread thread;

  TopicConsumer(
      TopicSource source,
      IngestOptions options,
      PartitionOwnership ownership,
      CommandSink commands,
      IntakeMemory memory,
      Metrics metrics,
      FailureSink failures) {
    this.source = source;
    this.options = options;
    this.metadataFormat = OffsetMetadataFormat.of(options.instanceId(), ownership);
    this.commands = commands;
    this.ownership = ownership;
    this.failures = failures;
    this.counts = new TopicCounts(source.topic(), metrics);
    this.offsets =
        new PartitionOffsets(
            options.readAheadRecords(), options.readAheadBytes(), memory, Object::wait);
    this.budget = new PollBudget(memory);
    this.decoder =
        source
            .raw()
            .<RecordDecoder>map(task ->
                new RawDecoder(
                    task,
                    options.maxMessageSize(),
                    (value, parameters) -> counts.raw(task, value, parameters)))
            .orElseGet(() ->
                new ActivationDecoder(
                    options.maxDelaySeconds(), options.maxMessageSize(), new TimeWarnings(counts)));
    this.submitter = new RecordSubmitter(decoder, offsets, commands, counts);
    this.problems = new TopicProblemLog(source, System::nanoTime);
    this.identity = new TopicIdentity(source.topic(), System::nanoTime);
  }

  PartitionOffsets offsets() {
    return offsets;
  }

  /// Whether the client exists. Creating it takes as long as names cannot be resolved.
  boolean isReading() {
    return reading;
  }

  /// Counter of the loop's turns; it grows about once a second when no records arrive. Turns that
  /// fail by a defect, or with all partitions blocked, do not count.
  long rounds() {
    return rounds.get();
  }

  long outOfRange() {
    return counts.lostOffsets();
  }

  /// As in [TopicProblemLog#refusal].
  String refusal() {
    return problems.refusal();
  }

  /// Fault that keeps the topic, or some of its partitions, from being read.
  Optional<Condition> condition() {
    return problems
        .condition()
        .or(() ->
            Optional.of(counts.blockedAt())
                .filter(blocked -> !blocked.isEmpty())
                .map(blocked ->
                    new Condition(Condition.Kind.PARTITION_UNREADABLE, source.topic(), blocked)))
        .or(() ->
            Optional.of(counts.waitsForTransactions())
                .filter(waiting -> !waiting.isEmpty())
                .map(waiting ->
                    new Condition(Condition.Kind.TRANSACTION_OPEN, source.topic(), waiting)));
  }

  void start(Collection<Watermark> watermarks) {
    offsets.remember(watermarks);
    thread = Thread.ofPlatform().name("ingest-" + source.topic()).start(this::run);
  }

  void askToStop() {
    stopAsked.countDown();
    offsets.stop();
  }

  /// Returns when the thread has ended, or ignored its interrupt.
  void awaitStop() {
    Thread running = thread;
    if (running == null) {
      return;
    }
    try {
      if (!running.join(STOP_TIMEOUT)) {
        log.warn("The consumer of {} does not stop within {}", source.topic(), STOP_TIMEOUT);
        running.interrupt();
        running.join(CLOSE_TIMEOUT);
      }
    } catch (InterruptedException e) {
      running.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    Admin admin = null;
    try {
      admin = create(() -> Admin.create(ClientSettings.admin(source)));
      while (admin != null && !isStopping()) {
        var ends = new LogEnds();
        Consumer<byte[], byte[]> consumer = create(() -> newConsumer(ends));
        if (consumer != null) {
          readUntilStopped(admin, consumer, ends);
        }
      }
    } catch (InterruptException e) {
      if (!isStopping()) {
        failures.failed(stage(), e);
      }
    } catch (RuntimeException | Error e) {
      failures.failed(stage(), e);
    } finally {
      problems.stop();
      decoder.close();
      if (admin != null) {
        admin.close(Duration.ZERO);
      }
    }
  }

  private String stage() {
    return "ingest of topic " + source.topic();
  }

  private Consumer<byte[], byte[]> newConsumer(LogEnds ends) {
    return BoundedConsumer.create(
        ClientSettings.consumer(source, options, ownership.moves()),
        fetchLimits(),
        budget,
        connections::incrementAndGet,
        ends);
  }

  private FetchLimits fetchLimits() {
    return options.limits().fetch(source.raw().isPresent());
  }

  /// Creates a client as soon as the addresses of the cluster can be resolved; null when stopping.
  private <T> @Nullable T create(Supplier<T> factory) {
    while (!isStopping()) {
      try {
        return factory.get();
      } catch (KafkaException e) {
        problems.failed(e);
        waitBeforeRetry();
      }
    }
    return null;
  }

  /// Reads until the consumer must stop, or must be replaced.
  private void readUntilStopped(Admin admin, Consumer<byte[], byte[]> consumer, LogEnds ends) {
    var commits =
        new OffsetCommits(
            consumer,
            offsets,
            metadataFormat,
            commands,
            source.autoCommitInterval(),
            System::nanoTime);
    var finder =
        new PositionFinder(
            source, consumer, admin, offsets, metadataFormat, ownership, fetchLimits());
    var partitions =
        new AssignedPartitions(
            consumer, finder, commits, offsets, commands, counts, System::nanoTime);
    var reader =
        new TopicReader(
            consumer,
            offsets,
            commits,
            partitions,
            submitter,
            new Lookahead(decoder, offsets, partitions, commands),
            budget,
            SystemContext.system());
    var observer = new ProblemObserver(admin, consumer);
    var lag = new Lag(consumer, admin, offsets, counts, ends, System::nanoTime);
    boolean clean = false;
    try {
      reading = true;
      consumer.subscribe(List.of(source.topic()), partitions);
      while (!isStopping()) {
        boolean worked = turn(reader, observer);
        lag.measureIfDue(partitions.held(), partitions.isPaused());
        if (worked && !reader.isBlocked()) {
          rounds.incrementAndGet();
        }
      }
      partitions.releaseAll(STOP_DRAIN_TIMEOUT);
      clean = true;
    } catch (MetadataCheck.Outdated e) {
      log.warn("Replacing the consumer of topic {}: {}", source.topic(), e.getMessage());
      partitions.releaseAll(STOP_DRAIN_TIMEOUT);
    } finally {
      if (!clean) {
        partitions.dropAll();
      }
      close(consumer, clean);
    }
  }

  /// Closes the consumer. A broker that stops in order leaves the group, so that others take over
  /// at once; a failed one is expected back, and a replaced one comes back at once.
  private void close(Consumer<byte[], byte[]> consumer, boolean leave) {
    try {
      consumer.close(
          CloseOptions.timeout(CLOSE_TIMEOUT)
              .withGroupMembershipOperation(
                  leave
                      ? CloseOptions.GroupMembershipOperation.LEAVE_GROUP
                      : CloseOptions.GroupMembershipOperation.REMAIN_IN_GROUP));
    } catch (KafkaException e) {
      log.warn("Closing the consumer of {} failed: {}", source.topic(), e.toString());
    }
  }

  /// @return whether the turn worked, or failed because Kafka is unreachable: that is no fault of
  ///   this process (H25), but repeated failures for another reason are (G9)
  private boolean turn(TopicReader reader, TopicReader.Observer observer) {
    try {
      var _ = reader.turn(observer);
      return true;
    } catch (FencedInstanceIdException e) {
      throw new IllegalStateException(
          "Another broker runs as "
              + ClientSettings.memberName(options.instanceId(), source.topic())
              + " in group "
              + source.group()
              + ": give each broker its own store and instance id",
          e);
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      problems.failed(e);
      waitBeforeRetry();
      return TopicProblemLog.isOutage(e);
    }
  }

  private boolean isStopping() {
    return stopAsked.getCount() == 0;
  }

  private void waitBeforeRetry() {
    Duration pause = problems.refusal().isEmpty() ? TopicReader.RETRY_AFTER : REFUSED_RETRY_AFTER;
    try {
      boolean stopped = stopAsked.await(pause.toMillis(), TimeUnit.MILLISECONDS);
      log.trace("Waited before a retry, stopped: {}", stopped);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /// Asks the cluster for the topic while no records arrive.
  private final class ProblemObserver implements TopicReader.Observer {
    private final Admin admin;
    private final Consumer<byte[], byte[]> consumer;
    private final MetadataCheck metadata;

    ProblemObserver(Admin admin, Consumer<byte[], byte[]> consumer) {
      this.metadata = new MetadataCheck(consumer, admin);
      this.admin = admin;
      this.consumer = consumer;
    }

    @Override
    public long connections() {
      return connections.get();
    }

    @Override
    public void requireCurrent(Collection<TopicPartition> partitions) {
      metadata.requireCurrent(partitions);
    }

    @Override
    public boolean isRecreated(String topicId) {
      return identity.isRecreated(admin, topicId);
    }

    @Override
    public void readable() {
      problems.readable();
    }

    @Override
    public void idle() {
      problems.probe(admin);
      if (consumer.groupMetadata().generationId() > 0) {
        problems.joined();
      }
    }

    @Override
    public void failed(KafkaException failure) {
      problems.failed(failure);
    }

    @Override
    public void notGranted(PartitionOwnership.Unavailable why) {
      log.warn("Cannot start {} yet, retrying: {}", source.topic(), why.getMessage());
    }
  }
}
