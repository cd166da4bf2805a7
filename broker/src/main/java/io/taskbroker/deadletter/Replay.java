package io.taskbroker.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.config.ClusterConfig;
import io.taskbroker.config.KafkaConfig;
import io.taskbroker.deadletter.Resolution.Action;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/// Replay of dead letters, each once: the task and its resolution are written in one transaction of
/// Kafka. A replay that was killed continues where it stopped when the same command runs again; a
/// second one that runs at the same time ends the first ([ADR 23](docs/adr/0023-replay-once.md)).
/// One thread.
public final class Replay {
  private static final String ORIGIN_HEADER = "taskbroker-replay-of";
  private static final int MAX_BATCH_BYTES = 4 << 20;
  private static final int MAX_FORGOTTEN = 500;
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final ClusterConfig cluster;
  private final String topic;
  private final int maxMessageSize;
  private final ReplayOptions options;
  private final ReplayTargets targets;
  private final Action action;
  private final UnaryOperator<TaskActivation> edit;
  private final Consumer<ReplayReport> progress;
  private final String run = UUID.randomUUID().toString();
  private final Pace pace;

  private final Set<Fingerprint> seen = new HashSet<>();
  private final Map<SkipReason, Long> skipped = new HashMap<>();
  private final Map<String, Long> byTopic = new HashMap<>();
  private final List<Planned> batch = new ArrayList<>();
  private int batchBytes;
  private long selected;
  private long done;
  private long scanned;
  private long size;
  private boolean complete = true;
  private Resolutions resolutions = new Resolutions();
  private @Nullable ReplayWriter writer;

  /// Dead letter that is about to be resolved.
  ///
  /// @param task record to produce; null if it is discarded
  private record Planned(
      DeadLetter letter,
      Resolution resolution,
      @Nullable ProducerRecord<byte[], byte[]> task,
      ProducerRecord<byte[], byte[]> mark) {}

  private Replay(
      KafkaConfig kafka,
      String topic,
      ReplayOptions options,
      Action action,
      UnaryOperator<TaskActivation> edit,
      Consumer<ReplayReport> progress) {
    this.cluster = DeadLetters.cluster(kafka, topic);
    this.topic = topic;
    this.maxMessageSize = kafka.maxMessageSize();
    this.options = options;
    this.targets = new ReplayTargets(kafka, topic, options.topic());
    this.action = action;
    this.edit = edit;
    this.progress = progress;
    this.pace = new Pace(options.ratePerSecond());
  }

  /// Replays dead letters.
  ///
  /// @param topic the dead-letter topic, one of `kafka_topics`
  /// @param progress receives the counts so far, after each transaction
  /// @throws DeadLetterException if Kafka does not answer for as long as the patience lasts, or
  ///   another replay of the topic has begun; what was done until then is done
  public static ReplayReport replay(
      KafkaConfig kafka,
      String topic,
      DeadLetterFilter filter,
      ReplayOptions options,
      Consumer<ReplayReport> progress)
      throws InterruptedException {
    return new Replay(kafka, topic, options, Action.REPLAYED, UnaryOperator.identity(), progress)
        .run(filter);
  }

  /// Replays one dead letter with other arguments.
  ///
  /// @param position of the dead letter
  /// @param arguments as for [Parameters#replace]
  /// @throws IllegalArgumentException as there
  public static ReplayReport edited(
      KafkaConfig kafka,
      String topic,
      Position position,
      String arguments,
      ReplayOptions options,
      Consumer<ReplayReport> progress)
      throws InterruptedException {
    return new Replay(
            kafka,
            topic,
            options,
            Action.REPLAYED,
            task -> Parameters.replace(task, arguments),
            progress)
        .run(DeadLetterFilter.of(Set.of(position.toString())));
  }

  /// Marks dead letters as discarded: they are not replayed. Their records stay until Kafka's
  /// retention removes them.
  ///
  /// @param options rate, limit, dry run, reason and patience count
  public static ReplayReport discard(
      KafkaConfig kafka,
      String topic,
      DeadLetterFilter filter,
      ReplayOptions options,
      Consumer<ReplayReport> progress)
      throws InterruptedException {
    return new Replay(kafka, topic, options, Action.DISCARDED, UnaryOperator.identity(), progress)
        .run(filter);
  }

  private ReplayReport run(DeadLetterFilter filter) throws InterruptedException {
    try (TopicScan scan = DeadLetters.open(cluster, topic)) {
      size = scan.ranges().values().stream().mapToLong(it -> it.end() - it.begin()).sum();
      if (!options.dryRun()) {
        ReplayWriter.createTopic(cluster, Resolutions.topicOf(topic));
      }
      reopen(scan, Duration.ZERO);
      forget(scan);
      for (int partition : scan.ranges().keySet()) {
        TopicScan.Range range = filter.range(scan, partition);
        long next = range.begin();
        while (next < range.end() && complete) {
          next =
              scan.read(
                  partition,
                  next,
                  range.end(),
                  message -> visit(DeadLetter.read(message), filter, scan));
          write(scan);
        }
      }
      return report();
    } finally {
      close();
    }
  }

  /// Plans one dead letter. Returns whether there is room for another.
  private boolean visit(DeadLetter letter, DeadLetterFilter filter, TopicScan scan) {
    scanned++;
    if (filter.matches(letter)) {
      selected++;
      Optional<SkipReason> skip = skip(letter);
      if (skip.isPresent()) {
        skipped.merge(skip.get(), 1L, Long::sum);
      } else {
        seen.add(letter.identity());
        plan(letter, scan.topicId());
      }
    }
    complete = done + batch.size() < options.limit();
    return complete && batch.size() < pace.batch() && batchBytes < MAX_BATCH_BYTES;
  }

  private Optional<SkipReason> skip(DeadLetter letter) {
    Optional<SkipReason> before = resolved(letter, resolutions.of(letter));
    if (before.isPresent()) {
      return before;
    }
    if (seen.contains(letter.identity()) && !options.copies()) {
      return Optional.of(SkipReason.COPY);
    }
    if (action == Action.DISCARDED) {
      return Optional.empty();
    }
    if (letter.task().isEmpty()) {
      return Optional.of(SkipReason.NO_TASK);
    }
    if (letter.task().get().getRetryState().getAtMostOnce() && !options.atMostOnce()) {
      return Optional.of(SkipReason.AT_MOST_ONCE);
    }
    return targets.problem(targets.topicOf(letter));
  }

  private void plan(DeadLetter letter, String topicId) {
    long now = System.currentTimeMillis();
    ProducerRecord<byte[], byte[]> task = null;
    String target = "";
    String id = "";
    if (action == Action.REPLAYED) {
      TaskActivation dead = letter.task().orElseThrow();
      TaskActivation replay =
          ReplayedTask.of(topicId, letter, edit.apply(dead), options.keepAttempts(), now);
      target = targets.topicOf(letter);
      id = replay.getId();
      byte[] origin = (topic + ":" + letter.position()).getBytes(UTF_8);
      task =
          new ProducerRecord<>(
              target,
              null,
              null,
              null,
              replay.toByteArray(),
              List.of(new RecordHeader(ORIGIN_HEADER, origin)));
      batchBytes += task.value().length;
    }
    var resolution =
        new Resolution(
            action,
            now,
            run,
            target,
            id,
            options.reason(),
            letter.position(),
            letter.timestamp(),
            letter.identity());
    batch.add(
        new Planned(
            letter,
            resolution,
            task,
            new ProducerRecord<>(
                Resolutions.topicOf(topic),
                Resolution.key(topicId, letter.position()),
                resolution.value(topicId))));
  }

  /// Writes the batch, and repeats that until it is known to be written.
  private void write(TopicScan scan) throws InterruptedException {
    if (!batch.isEmpty() && !options.dryRun()) {
      pace.await(batch.size());
    }
    long since = System.nanoTime();
    while (!batch.isEmpty()) {
      try {
        if (options.dryRun() || commit()) {
          batch.forEach(this::count);
          batch.clear();
        }
      } catch (KafkaException e) {
        failed(e, System.nanoTime() - since, options.patience());
        reopen(scan, options.patience());
        settle();
      }
    }
    batchBytes = 0;
    progress.accept(report());
  }

  /// Returns whether the batch is written; else it is smaller now.
  private boolean commit() throws InterruptedException {
    if (writer == null) {
      throw new KafkaException("there is no connection");
    }
    var records = new ArrayList<ProducerRecord<byte[], byte[]>>();
    var owners = new ArrayList<Planned>();
    for (Planned each : batch) {
      if (each.task != null) {
        records.add(each.task);
        owners.add(each);
      }
      records.add(each.mark);
      owners.add(each);
    }
    List<Optional<Throwable>> failures = writer.write(records);
    var tooLarge = new HashSet<Planned>();
    @Nullable Throwable other = null;
    for (int i = 0; i < failures.size(); i++) {
      Throwable failure = failures.get(i).orElse(null);
      if (failure instanceof RecordTooLargeException) {
        tooLarge.add(owners.get(i));
      } else if (failure != null) {
        other = failure;
      }
    }
    if (!tooLarge.isEmpty()) {
      batch.removeAll(tooLarge);
      skipped.merge(SkipReason.TOO_LARGE, (long) tooLarge.size(), Long::sum);
      return false;
    }
    if (other != null) {
      throw other instanceof KafkaException cause ? cause : new KafkaException(other);
    }
    return true;
  }

  /// Removes from the batch what is resolved: by the last transaction, although its answer was
  /// lost, or by another replay that ran before this one opened its writer again.
  private void settle() {
    batch.removeIf(planned -> {
      Optional<Resolution> found = resolutions.of(planned.letter);
      if (found.filter(it -> it.run().equals(run)).isPresent()) {
        count(planned);
        return true;
      }
      Optional<SkipReason> skip = resolved(planned.letter, found);
      skip.ifPresent(reason -> skipped.merge(reason, 1L, Long::sum));
      return skip.isPresent();
    });
  }

  /// Why a dead letter needs nothing any more; empty if it does.
  private Optional<SkipReason> resolved(DeadLetter letter, Optional<Resolution> found) {
    if (found.isPresent()) {
      return Optional.of(
          found.get().action() == Action.REPLAYED
              ? SkipReason.REPLAYED_BEFORE
              : SkipReason.DISCARDED_BEFORE);
    }
    return !options.copies() && resolutions.copyOf(letter).isPresent()
        ? Optional.of(SkipReason.COPY)
        : Optional.empty();
  }

  private void count(Planned planned) {
    done++;
    if (planned.task != null) {
      byTopic.merge(planned.task.topic(), 1L, Long::sum);
    }
    resolutions.add(planned.resolution);
  }

  /// Opens the writer, which ends and fences the previous one, and then reads what was done.
  private void reopen(TopicScan scan, Duration patience) throws InterruptedException {
    long since = System.nanoTime();
    while (true) {
      try {
        close();
        if (!options.dryRun()) {
          writer = new ReplayWriter(cluster, topic, maxMessageSize);
        }
        resolutions = Resolutions.load(cluster, scan);
        return;
      } catch (KafkaException | DeadLetterException e) {
        failed(e, System.nanoTime() - since, patience);
      }
    }
  }

  /// Deletes resolutions whose dead letters Kafka does not retain any more, so that their topic
  /// does not grow for ever.
  private void forget(TopicScan scan) throws InterruptedException {
    if (writer == null) {
      return;
    }
    try {
      for (List<Position> some : resolutions.before(scan.ranges(), MAX_FORGOTTEN)) {
        writer.write(
            some.stream()
                .map(it ->
                    new ProducerRecord<byte[], byte[]>(
                        Resolutions.topicOf(topic), Resolution.key(scan.topicId(), it), null))
                .toList());
      }
    } catch (KafkaException _) {
      close(); // the next run deletes them; the next write opens a new writer
    }
  }

  private void failed(RuntimeException e, long nanos, Duration patience)
      throws InterruptedException {
    if (e instanceof InterruptException) {
      throw (InterruptedException)
          new InterruptedException("The replay was interrupted").initCause(e);
    }
    if (isFenced(e)) {
      throw new DeadLetterException(
          "Another replay of topic %s has begun, and goes on from here: this one ends after %,d dead letters"
              .formatted(topic, done),
          e);
    }
    if (nanos > patience.toNanos()) {
      throw TopicScan.failure(
          "Replay of topic %s ends after %,d dead letters; run it again to go on"
              .formatted(topic, done),
          cluster,
          e);
    }
    TimeUnit.MILLISECONDS.sleep(PAUSE.toMillis());
  }

  private static boolean isFenced(@Nullable Throwable e) {
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof ProducerFencedException
          || cause instanceof InvalidProducerEpochException) {
        return true;
      }
    }
    return false;
  }

  private ReplayReport report() {
    return new ReplayReport(run, selected, done, byTopic, skipped, complete, scanned, size);
  }

  private void close() {
    if (writer != null) {
      writer.close();
      writer = null;
    }
  }
}
