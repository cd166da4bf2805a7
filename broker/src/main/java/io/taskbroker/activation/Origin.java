package io.taskbroker.activation;

/// Kafka record that an activation was published in.
public record Origin(String topic, int partition, long offset) {}
