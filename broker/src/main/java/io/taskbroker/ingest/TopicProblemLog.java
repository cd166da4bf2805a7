package io.taskbroker.ingest;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.FailureText;
import io.taskbroker.runtime.LogInterval;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Log of the problem that keeps a topic from being read, in one line: when it begins, when it
/// changes, once a minute while it lasts, and when it is over. A consumer is silent about a cluster
/// that is down and a topic that does not exist, so the cluster is asked while no records arrive.
/// Thread-safe.
final class TopicProblemLog {
  private static final Logger log = LoggerFactory.getLogger(TopicProblemLog.class);
  private static final Duration PROBE_EVERY = Duration.ofSeconds(5);
  private static final int PROBE_TIMEOUT_MILLIS = 4000;
  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);

  /// Time without a refusal after which a member of the group counts as admitted: Kafka's client
  /// reports a refused topic at each metadata refresh.
  private static final Duration ADMITTED_AFTER =
      ClientSettings.PARTITIONS_KNOWN_AFTER.multipliedBy(2);

  private final TopicSource source;
  private final LongSupplier nanoTime;
  private final LogInterval lines = new LogInterval(REPEAT_AFTER);
  private @Nullable ReadFailure problem;
  private String problemLine = "";
  private long failedAt;
  private boolean admitted;
  private String refusal = "";
  private boolean probing;
  private boolean stopped;
  private long probedAt;

  TopicProblemLog(TopicSource source, LongSupplier nanoTime) {
    this.source = source;
    this.nanoTime = nanoTime;
    this.probedAt = nanoTime.getAsLong() - PROBE_EVERY.toNanos();
  }

  /// Reports a failure that is retried.
  synchronized void failed(Throwable failure) {
    ReadFailure kind = ReadFailure.of(failure);
    String line = kind.line(source, FailureText.ofRoot(failure));
    long now = nanoTime.getAsLong();
    problem = kind;
    problemLine = line;
    failedAt = now;
    refusal = kind.isRefusal() && !admitted ? line : "";
    if (!lines.isDue(kind, now)) {
      return;
    }
    switch (kind) {
      case UNREACHABLE -> log.warn(line);
      case OTHER -> log.error(line, failure);
      default -> log.error(line);
    }
  }

  /// Reports that records arrive, or could.
  synchronized void readable() {
    admitted = true;
    refusal = "";
    if (problem != null) {
      log.info("Topic {} at {} can be read again", source.topic(), source.bootstrap());
      problem = null;
      lines.over();
    }
  }

  /// Reports that the broker is a member of the group and polls without being refused, possibly
  /// without a partition.
  synchronized void joined() {
    boolean refused = problem != null && problem.isRefusal();
    if (refused && nanoTime.getAsLong() - failedAt >= ADMITTED_AFTER.toNanos()) {
      readable();
    } else if (!refused) {
      admitted = true;
    }
  }

  /// Why Kafka has refused the topic since the start, in one line; empty if it has not.
  synchronized String refusal() {
    return refusal;
  }

  /// Problem that keeps the topic from being read.
  synchronized Optional<Condition> condition() {
    return Optional.ofNullable(problem)
        .map(kind ->
            new Condition(
                kind == ReadFailure.UNREACHABLE
                    ? Condition.Kind.KAFKA_UNREACHABLE
                    : Condition.Kind.TOPIC_UNREADABLE,
                source.topic(),
                problemLine));
  }

  /// Asks the cluster for the topic if it was not asked recently; does not wait for the answer.
  synchronized void probe(Admin admin) {
    long now = nanoTime.getAsLong();
    if (probing || now - probedAt < PROBE_EVERY.toNanos()) {
      return;
    }
    probing = true;
    probedAt = now;
    var options = new DescribeTopicsOptions().timeoutMs(PROBE_TIMEOUT_MILLIS);
    var _ =
        admin
            .describeTopics(List.of(source.topic()), options)
            .allTopicNames()
            .whenComplete((_, failure) -> answered(failure));
  }

  /// Ignores later failures: they happen because the broker stops.
  synchronized void stop() {
    stopped = true;
  }

  private synchronized void answered(@Nullable Throwable failure) {
    probing = false;
    if (stopped) {
      return;
    }
    if (failure != null) {
      failed(failure);
    } else if (problem == ReadFailure.UNREACHABLE || problem == ReadFailure.NO_TOPIC) {
      readable();
    }
  }

  /// Whether the failure means that Kafka is unreachable or refuses this broker.
  static boolean isOutage(Throwable failure) {
    return ReadFailure.of(failure) != ReadFailure.OTHER;
  }
}
