package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.GroupProtocol;

/// Settings of the Kafka clients that read one topic.
final class ClientSettings {
  private static final int MAX_PARTITION_FETCH_BYTES = 1 << 20;
  private static final int PROBE_FETCH_BYTES = 16 << 10;
  private static final int MAX_MEMBER_NAME = 249;
  private static final int HEARTBEATS_PER_SESSION = 3;

  /// Longest time until partitions added to a topic are noticed. Each topic costs one metadata
  /// request to Kafka in that time.
  static final Duration PARTITIONS_KNOWN_AFTER = Duration.ofSeconds(10);

  private ClientSettings() {}

  /// Settings of the consumer. The broker resolves and commits offsets itself. With the classic
  /// group protocol, consumers of the reference can be members of the same group during a swap;
  /// like them, this consumer reads committed transactions only. A static member that was killed
  /// gets its partitions back at once.
  ///
  /// @param moves whether rows move with their partitions: then a rebalance revokes only the
  ///   partitions that move, and all members must be such brokers
  static Map<String, Object> consumer(TopicSource source, IngestOptions options, boolean moves) {
    int sessionMillis = (int) Math.min(source.sessionTimeout().toMillis(), Integer.MAX_VALUE);
    var settings = new HashMap<String, Object>(source.clientProperties());
    settings.put(ConsumerConfig.GROUP_ID_CONFIG, source.group());
    settings.put(
        ConsumerConfig.GROUP_INSTANCE_ID_CONFIG, memberName(options.instanceId(), source.topic()));
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "taskbroker-ingest-" + source.topic());
    settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, GroupProtocol.CLASSIC.name());
    if (moves) {
      settings.put(
          ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG,
          CooperativeStickyAssignor.class.getName());
    }
    settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, sessionMillis);
    settings.put(
        ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG,
        Math.max(1, sessionMillis / HEARTBEATS_PER_SESSION));
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.putIfAbsent(
        ConsumerConfig.METADATA_MAX_AGE_CONFIG, (int) PARTITIONS_KNOWN_AFTER.toMillis());
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, options.batchRecords());
    // Sizes on the wire; the fetch limits bound the records in memory.
    int fetch = (int) Math.min(options.limits().fetchBytes(), options.readAheadBytes());
    settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, fetch);
    settings.put(
        ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
        Math.min(MAX_PARTITION_FETCH_BYTES, fetch));
    return settings;
  }

  /// Settings of a consumer that reads single records, outside of any group.
  static Map<String, Object> probe(TopicSource source) {
    var settings = new HashMap<String, Object>(source.clientProperties());
    settings.put(ConsumerConfig.CLIENT_ID_CONFIG, "taskbroker-ingest-probe-" + source.topic());
    settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "none");
    settings.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
    settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
    settings.put(ConsumerConfig.GROUP_PROTOCOL_CONFIG, GroupProtocol.CLASSIC.name());
    settings.put(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG, PROBE_FETCH_BYTES);
    settings.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, MAX_PARTITION_FETCH_BYTES);
    return settings;
  }

  static Map<String, Object> admin(TopicSource source) {
    return admin(source.clientProperties(), "taskbroker-ingest-admin-" + source.topic());
  }

  static Map<String, Object> admin(Map<String, String> clientProperties, String clientId) {
    var settings = new HashMap<String, Object>(clientProperties);
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, clientId);
    return settings;
  }

  /// Name of the static group member. Kafka accepts 249 of the characters of a topic name; any
  /// other name is replaced by its hash.
  static String memberName(String instanceId, String topic) {
    String name = instanceId + "-" + topic;
    return name.length() <= MAX_MEMBER_NAME && name.matches("[a-zA-Z0-9._-]+")
        ? name
        : UUID.nameUUIDFromBytes(name.getBytes(UTF_8)).toString();
  }
}
