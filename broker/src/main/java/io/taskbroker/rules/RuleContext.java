package io.taskbroker.rules;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// What the broker's configuration means to its rules. Immutable.
///
/// @param topic where demoted tasks go, if the rules do not say
/// @param cluster the bootstrap servers where they go, if the rules do not say
/// @param authenticates whether secrets are shown to that cluster, and to any other that the rules
///   name
/// @param consumed what this broker consumes
public record RuleContext(
    String topic, String cluster, boolean authenticates, List<Consumed> consumed) {
  private static final String DEFAULT_PORT = ":9092";

  public RuleContext {
    consumed = List.copyOf(consumed);
  }

  /// A topic that is consumed.
  ///
  /// @param cluster its bootstrap servers
  public record Consumed(String topic, String cluster) {}

  /// Whether what is produced there comes to this broker: the one check for arrivals and for what
  /// is in flight (W49). Clusters that have a server in common are the same.
  boolean consumes(String otherTopic, String otherCluster) {
    Set<String> servers = servers(otherCluster);
    return consumed.stream()
        .filter(it -> it.topic.equals(otherTopic))
        .anyMatch(it -> servers(it.cluster).stream().anyMatch(servers::contains));
  }

  /// Whether demoted tasks would show the secrets of one cluster to another.
  boolean givesSecretsTo(String otherCluster) {
    return authenticates && !servers(otherCluster).equals(servers(cluster));
  }

  private static Set<String> servers(String cluster) {
    return Arrays.stream(cluster.split(","))
        .map(String::strip)
        .filter(server -> !server.isEmpty())
        .map(server -> server.matches(".*:[0-9]+") ? server : server + DEFAULT_PORT)
        .collect(Collectors.toSet());
  }
}
