package io.taskbroker.audit;

import io.taskbroker.config.ClusterConfig;
import io.taskbroker.deadletter.DeadLetterException;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/// Offsets that a consumer group has committed. Stateless and thread-safe.
public final class CommittedOffsets {
  private static final int TIMEOUT_MS = 15_000;

  private CommittedOffsets() {}

  /// @throws DeadLetterException if Kafka does not answer
  public static Map<TopicPartition, OffsetAndMetadata> of(ClusterConfig cluster, String group) {
    var settings = new HashMap<String, Object>(cluster.clientProperties());
    settings.keySet().retainAll(AdminClientConfig.configNames());
    settings.put(AdminClientConfig.CLIENT_ID_CONFIG, "taskbroker-audit");
    settings.put(AdminClientConfig.ENABLE_METRICS_PUSH_CONFIG, false);
    try (Admin admin = Admin.create(settings)) {
      return admin
          .listConsumerGroupOffsets(group)
          .partitionsToOffsetAndMetadata()
          .get(TIMEOUT_MS, TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException | KafkaException e) {
      throw new DeadLetterException(
          "Cannot read the offsets of group %s at %s: %s; check that Kafka is up"
              .formatted(group, cluster.address(), e.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new DeadLetterException(
          "Interrupted while offsets of group " + group + " were read", e);
    }
  }
}
