package io.taskbroker.ingest;

import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.ingest.fetch.BoundedConsumer;
import io.taskbroker.ingest.fetch.FetchLimits;
import io.taskbroker.ingest.fetch.IntakeMemory;
import io.taskbroker.ingest.fetch.PollBudget;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
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
  private final OffsetMetadataFormat notes;
  private final CommandSink intake;
  private final PartitionOwnership custody;
  private final FailureSink failures;
  private final PartitionOffsets ledgers;
  private final PollBudget budget;
  private final RecordDecoder decoder;
  private final RecordSubmitter handover;
  private final TopicProblemLog watch;
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
      PartitionOwnership custody,
      CommandSink intake,
      IntakeMemory memory,
      Metrics metrics,
      FailureSink failures) {
    this.source = source;
    this.options = options;
    this.notes = OffsetMetadataFormat.of(options.instanceId(), custody);
    this.intake = intake;
    this.custody = custody;
    this.failures = failures;
    this.counts = new TopicCounts(source.topic(), metrics);
    this.ledgers =
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
    this.handover = new RecordSubmitter(decoder, ledgers, intake, counts);
    this.watch = new TopicProblemLog(source, System::nanoTime);
    this.identity = new TopicIdentity(source.topic(), System::nanoTime);
  }

  PartitionOffsets ledgers() {
    return ledgers;
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
    return watch.refusal();
  }

  void start(Collection<Watermark> watermarks) {
    ledgers.remember(watermarks);
    thread = Thread.ofPlatform().name("ingest-" + source.topic()).start(this::run);
  }

  void askToStop() {
    stopAsked.countDown();
    ledgers.stop();
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
      admin = made(() -> Admin.create(ClientSettings.admin(source)));
      Consumer<byte[], byte[]> consumer = made(this::newConsumer);
      if (admin != null && consumer != null) {
        readUntilStopped(admin, consumer);
      }
    } catch (InterruptException e) {
      if (!isStopping()) {
        failures.failed(stage(), e);
      }
    } catch (RuntimeException | Error e) {
      failures.failed(stage(), e);
    } finally {
      watch.stop();
      decoder.close();
      if (admin != null) {
        admin.close(Duration.ZERO);
      }
    }
  }

  private String stage() {
    return "ingest of topic " + source.topic();
  }

  private Consumer<byte[], byte[]> newConsumer() {
    return BoundedConsumer.create(
        ClientSettings.consumer(source, options, custody.moves()),
        fetchLimits(),
        budget,
        connections::incrementAndGet);
  }

  private FetchLimits fetchLimits() {
    return options.limits().fetch(source.raw().isPresent());
  }

  /// Creates a client as soon as the addresses of the cluster can be resolved; null when stopping.
  private <T> @Nullable T made(Supplier<T> maker) {
    while (!isStopping()) {
      try {
        return maker.get();
      } catch (KafkaException e) {
        watch.trouble(e);
        waitBeforeRetry();
      }
    }
    return null;
  }

  private void readUntilStopped(Admin admin, Consumer<byte[], byte[]> consumer) {
    var commits =
        new OffsetCommits(
            consumer, ledgers, notes, intake, source.autoCommitInterval(), System::nanoTime);
    var finder =
        new PositionFinder(source, consumer, admin, ledgers, notes, custody, fetchLimits());
    var partitions =
        new AssignedPartitions(
            consumer, finder, commits, ledgers, intake, counts, System::nanoTime);
    var reader =
        new TopicReader(
            consumer,
            ledgers,
            commits,
            partitions,
            handover,
            new Lookahead(decoder, ledgers, partitions, intake),
            budget,
            SystemContext.system());
    var watched = new Watched(admin, consumer);
    var lag = new Lag(consumer, admin, ledgers, counts, System::nanoTime);
    boolean clean = false;
    try {
      reading = true;
      consumer.subscribe(List.of(source.topic()), partitions);
      while (!isStopping()) {
        boolean worked = turn(reader, watched);
        lag.measureIfDue(partitions.held(), partitions.isPaused());
        if (worked && !reader.standsStill()) {
          rounds.incrementAndGet();
        }
      }
      partitions.giveAllUp(STOP_DRAIN_TIMEOUT);
      clean = true;
    } finally {
      if (!clean) {
        partitions.loseAll();
      }
      close(consumer, clean);
    }
  }

  /// Closes the consumer. A broker that stops in order leaves the group, so that others take over
  /// at once; a failed one is expected back.
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
  private boolean turn(TopicReader reader, TopicReader.Watch watched) {
    try {
      var _ = reader.turn(watched);
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
      watch.trouble(e);
      waitBeforeRetry();
      return TopicProblemLog.isOutage(e);
    }
  }

  private boolean isStopping() {
    return stopAsked.getCount() == 0;
  }

  private void waitBeforeRetry() {
    Duration pause = watch.refusal().isEmpty() ? TopicReader.RETRY_AFTER : REFUSED_RETRY_AFTER;
    try {
      boolean stopped = stopAsked.await(pause.toMillis(), TimeUnit.MILLISECONDS);
      log.trace("Waited before a retry, stopped: {}", stopped);
    } catch (InterruptedException e) {
      throw new InterruptException(e);
    }
  }

  /// Asks the cluster for the topic while no records arrive.
  private final class Watched implements TopicReader.Watch {
    private final Admin admin;
    private final Consumer<byte[], byte[]> consumer;

    Watched(Admin admin, Consumer<byte[], byte[]> consumer) {
      this.admin = admin;
      this.consumer = consumer;
    }

    @Override
    public long connections() {
      return connections.get();
    }

    @Override
    public boolean isAnother(String topicId) {
      return identity.isAnother(admin, topicId);
    }

    @Override
    public void fine() {
      watch.fine();
    }

    @Override
    public void quiet() {
      watch.probe(admin);
      if (consumer.groupMetadata().generationId() > 0) {
        watch.joined();
      }
    }

    @Override
    public void trouble(KafkaException failure) {
      watch.trouble(failure);
    }

    @Override
    public void notYet(PartitionOwnership.Unavailable why) {
      log.warn("Cannot start {} yet, retrying: {}", source.topic(), why.getMessage());
    }
  }
}
