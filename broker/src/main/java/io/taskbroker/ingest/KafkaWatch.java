package io.taskbroker.ingest;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Says in one line what is wrong between a topic and this broker: when it begins, when it changes,
/// once a minute while it lasts, and when it is over. A consumer keeps silent about a cluster that
/// is down and a topic that is not there, so the cluster is asked while nothing comes in.
/// Thread-safe.
final class KafkaWatch {
  private static final Logger log = LoggerFactory.getLogger(KafkaWatch.class);
  private static final Duration PROBE_EVERY = Duration.ofSeconds(5);
  private static final int PROBE_TIMEOUT_MILLIS = 4000;
  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);

  private enum Kind {
    UNREACHABLE,
    NO_TOPIC,
    CREDENTIALS,
    TLS,
    PERMISSION,
    SETTINGS,
    OTHER
  }

  private final TopicSource source;
  private final LongSupplier nanoTime;
  private @Nullable Kind trouble;
  private @Nullable Kind lastLogged;
  private long loggedAt;
  private boolean probing;
  private boolean stopped;
  private long probedAt;

  KafkaWatch(TopicSource source, LongSupplier nanoTime) {
    this.source = source;
    this.nanoTime = nanoTime;
    this.probedAt = nanoTime.getAsLong() - PROBE_EVERY.toNanos();
  }

  /// Something went wrong that is tried again.
  synchronized void trouble(Throwable failure) {
    Kind kind = kind(failure);
    long now = nanoTime.getAsLong();
    trouble = kind;
    if (kind == lastLogged && now - loggedAt < REPEAT_AFTER.toNanos()) {
      return;
    }
    lastLogged = kind;
    loggedAt = now;
    String topic = source.topic();
    String bootstrap = source.bootstrap();
    String why = reason(failure);
    switch (kind) {
      case UNREACHABLE ->
          log.warn("Kafka at {} does not answer, topic {} waits for it: {}", bootstrap, topic, why);
      case NO_TOPIC ->
          log.error(
              "Topic {} does not exist at {}: create it, or correct the name", topic, bootstrap);
      case CREDENTIALS ->
          log.error(
              "Kafka at {} refuses the credentials that are configured for topic {}: {}",
              bootstrap,
              topic,
              why);
      case TLS ->
          log.error(
              "Kafka at {} and this broker cannot agree on TLS for topic {}: {}",
              bootstrap,
              topic,
              why);
      case PERMISSION ->
          log.error(
              "Kafka at {} does not let group {} read topic {}: {}",
              bootstrap,
              source.group(),
              topic,
              why);
      case SETTINGS ->
          log.error(
              "Cannot make a Kafka client of the settings of topic {} at {}: {}",
              topic,
              bootstrap,
              why);
      case OTHER -> log.error("Reading topic {} at {} failed", topic, bootstrap, failure);
    }
  }

  /// Records come in, or could.
  synchronized void fine() {
    if (trouble != null) {
      log.info("Topic {} at {} can be read again", source.topic(), source.bootstrap());
      trouble = null;
      lastLogged = null;
    }
  }

  /// Asks the cluster for the topic, if it was not asked lately; does not wait for the answer.
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

  /// What fails from now on fails because the broker stops.
  synchronized void stop() {
    stopped = true;
  }

  private synchronized void answered(@Nullable Throwable failure) {
    probing = false;
    if (stopped) {
      return;
    }
    if (failure != null) {
      trouble(failure);
    } else if (trouble == Kind.UNREACHABLE || trouble == Kind.NO_TOPIC) {
      fine();
    }
  }

  /// Whether such a failure says that Kafka is away, or does not let this broker in.
  static boolean isOutage(Throwable failure) {
    return kind(failure) != Kind.OTHER;
  }

  private static Kind kind(Throwable failure) {
    return switch (failure) {
      case SslAuthenticationException _ -> Kind.TLS;
      case AuthenticationException _ -> Kind.CREDENTIALS;
      case AuthorizationException _ -> Kind.PERMISSION;
      case UnknownTopicOrPartitionException _ -> Kind.NO_TOPIC;
      case InvalidTopicException _ -> Kind.NO_TOPIC;
      case RetriableException _ -> Kind.UNREACHABLE;
      case ConfigException _ -> Kind.SETTINGS;
      case KafkaException e when e.getCause() instanceof KafkaException cause -> kind(cause);
      case CompletionException e when e.getCause() != null -> kind(e.getCause());
      default -> Kind.OTHER;
    };
  }

  /// The message of the innermost cause: those around it only say that something failed.
  static String reason(Throwable failure) {
    Throwable cause = failure;
    while (cause.getCause() != null) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage());
  }
}
