package io.taskbroker.activation;

/// Partition read by one consumer group; the owner of a watermark (H1). A topic that is deleted and
/// recreated has another `topicId`, so its offsets are never mistaken for the old topic's.
///
/// @param cluster id reported by the Kafka cluster
/// @param topicId UUID of the topic
public record SourcePartition(
    String cluster, String group, String topicId, String topic, int partition) {}
