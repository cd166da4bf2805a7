package io.taskbroker.ingest;

import java.time.Duration;
import java.util.Collection;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Check that the metadata of a consumer is not ahead of the cluster's. Leader epochs go back when
/// a cluster is restored from an older copy. A consumer that saw a later epoch discards the
/// cluster's metadata as outdated: it neither reads nor answers until the epoch is reached again,
/// which may be never. Only a new consumer ends that. Used by the reader's thread only.
final class MetadataCheck {
  private static final Logger log = LoggerFactory.getLogger(MetadataCheck.class);
  private static final int TIMEOUT_MILLIS = 3000;

  private final Consumer<byte[], byte[]> consumer;
  private final Admin admin;

  MetadataCheck(Consumer<byte[], byte[]> consumer, Admin admin) {
    this.consumer = consumer;
    this.admin = admin;
  }

  /// The cluster answers other clients and not this consumer, which must be replaced.
  static final class Outdated extends RuntimeException {
    private static final long serialVersionUID = 1;

    Outdated(Collection<TopicPartition> partitions) {
      super(
          "Kafka tells the offsets of "
              + partitions
              + " to a new client and not to this consumer: its leader epochs went back, as after a"
              + " restore");
    }
  }

  /// Asks for the end offsets of the partitions, by the consumer and, if it gets no answer in three
  /// seconds, by the admin client.
  ///
  /// @throws Outdated if only the admin client gets them
  /// @throws KafkaException if neither does
  void requireCurrent(Collection<TopicPartition> partitions) {
    try {
      consumer.endOffsets(partitions, Duration.ofMillis(TIMEOUT_MILLIS));
    } catch (TimeoutException e) {
      if (isReachable(partitions)) {
        throw new Outdated(partitions);
      }
      throw e;
    }
  }

  private boolean isReachable(Collection<TopicPartition> partitions) {
    try {
      KafkaLogProbe.offsets(admin, Set.copyOf(partitions), OffsetSpec.latest());
      return true;
    } catch (InterruptException e) {
      throw e;
    } catch (KafkaException e) {
      log.debug("Neither client gets the end offsets of {}", partitions, e);
      return false;
    }
  }
}
