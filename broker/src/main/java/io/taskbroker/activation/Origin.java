package io.taskbroker.activation;

/// The Kafka record that an activation came from.
public record Origin(String topic, int partition, long offset) {}
