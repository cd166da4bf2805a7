package io.taskbroker.outbox;

import java.util.Map;

/// A topic that this broker produces to.
///
/// @param contents what is produced to it, in the plural
/// @param key the configuration key that names it
/// @param client the settings of Kafka's clients that reach its cluster, with secrets
/// @param created whether the broker creates it if it is missing
public record TargetTopic(
    String name, String contents, String key, Map<String, String> client, boolean created) {}
