package io.taskbroker.ingest;

import java.util.concurrent.CompletionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.GroupMaxSizeReachedException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.apache.kafka.common.errors.InvalidSessionTimeoutException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedAssignorException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/// Class of failure that keeps a topic from being read. All of them are retried, since an operator
/// can fix each of them at Kafka; the one failure that ends the process is a second broker with the
/// same instance id ([TopicConsumer]).
///
/// Some of them are refusals: Kafka answered that it does not let this broker read. A broker that
/// was refused every topic since its start is not ready (G9).
enum ReadFailure {
  UNREACHABLE(false, "Kafka at %1$s does not answer, topic %2$s waits for it: %3$s"),
  NO_TOPIC(false, "Topic %2$s does not exist at %1$s: create it, or correct the name"),
  TOPIC_NAME(true, "Kafka at %1$s can have no topic of the name %2$s: correct the name (%3$s)"),
  CREDENTIALS(
      true, "Kafka at %1$s refuses the credentials that are configured for topic %2$s: %3$s"),
  TLS(true, "Kafka at %1$s and this broker cannot agree on TLS for topic %2$s: %3$s"),
  PERMISSION(true, "Kafka at %1$s does not let group %4$s read topic %2$s: %3$s"),
  SETTINGS(false, "Cannot create a Kafka client from the settings of topic %2$s at %1$s: %3$s"),
  SESSION_TIMEOUT(
      true,
      "Kafka at %1$s does not take the session_timeout_ms = %5$d of topic %2$s, group %4$s: set one"
          + " between its group.min.session.timeout.ms and group.max.session.timeout.ms (%3$s)"),
  ASSIGNOR(
      true,
      "Kafka at %1$s does not let this broker join group %4$s, whose members assign the partitions"
          + " of topic %2$s in another way: stop those members, or give this broker another"
          + " consumer_group (%3$s)"),
  GROUP_NAME(
      true,
      "Kafka at %1$s can have no group of the name %4$s, for topic %2$s: correct consumer_group"
          + " (%3$s)"),
  GROUP_FULL(
      true,
      "Group %4$s at %1$s has as many members as it may, topic %2$s waits: raise group.max.size of"
          + " Kafka (%3$s)"),
  TOO_OLD(true, "Kafka at %1$s is of a version that this broker cannot read topic %2$s from: %3$s"),
  OTHER(false, "Reading topic %2$s at %1$s failed");

  private final boolean refusal;
  private final String line;

  ReadFailure(boolean refusal, String line) {
    this.refusal = refusal;
    this.line = line;
  }

  /// The class of a failure, or of its cause.
  static ReadFailure of(Throwable failure) {
    return switch (failure) {
      case SslAuthenticationException _ -> TLS;
      case AuthenticationException _ -> CREDENTIALS;
      case GroupAuthorizationException _ -> PERMISSION;
      case AuthorizationException _ -> PERMISSION;
      case InvalidSessionTimeoutException _ -> SESSION_TIMEOUT;
      case InconsistentGroupProtocolException _ -> ASSIGNOR;
      case UnsupportedAssignorException _ -> ASSIGNOR;
      case InvalidGroupIdException _ -> GROUP_NAME;
      case GroupMaxSizeReachedException _ -> GROUP_FULL;
      case UnsupportedVersionException _ -> TOO_OLD;
      case UnknownTopicOrPartitionException _ -> NO_TOPIC;
      case InvalidTopicException _ -> TOPIC_NAME;
      case RetriableException _ -> UNREACHABLE;
      case ConfigException _ -> SETTINGS;
      case InvalidConfigurationException _ -> SETTINGS;
      case KafkaException e when e.getCause() instanceof KafkaException cause -> of(cause);
      case CompletionException e when e.getCause() != null -> of(e.getCause());
      default -> OTHER;
    };
  }

  /// Whether Kafka refused to let this broker read.
  boolean isRefusal() {
    return refusal;
  }

  /// One line that names the failure, the topic, and the fix.
  String line(TopicSource source, String why) {
    return line.formatted(
        source.bootstrap(),
        source.topic(),
        why,
        source.group(),
        source.sessionTimeout().toMillis());
  }
}
