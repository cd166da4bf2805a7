package io.taskbroker.activation;

/// One partition as one consumer group reads it: what a consumed-offset watermark belongs to (H1).
/// A topic that was deleted and made again has another `topicId`, so that its offsets are never
/// taken for those of the old one.
///
/// @param cluster the id that the Kafka cluster gives itself
/// @param topicId the UUID of the topic
public record SourcePartition(
    String cluster, String group, String topicId, String topic, int partition) {}
