package io.taskbroker.outbox;

import java.util.Map;

/// Topic that this broker produces to.
///
/// @param contents plural noun for its messages, such as `retries`
/// @param key the configuration key that names it
/// @param client settings of Kafka's clients for its cluster, with secrets
/// @param created whether the broker creates it if it is missing
public record TargetTopic(
    String name, String contents, String key, Map<String, String> client, boolean created) {}
