package io.taskbroker.rules;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Configuration of the broker that its rules depend on. Immutable.
///
/// @param topic default topic of demoted tasks
/// @param cluster bootstrap servers of the default cluster of demoted tasks
/// @param authenticates whether the broker sends secrets to that cluster, and to any other that the
///   rules name
/// @param consumed the topics that this broker consumes
public record RuleContext(
    String topic, String cluster, boolean authenticates, List<Consumed> consumed) {
  private static final String DEFAULT_PORT = ":9092";

  public RuleContext {
    consumed = List.copyOf(consumed);
  }

  /// Topic that this broker consumes.
  ///
  /// @param cluster its bootstrap servers
  public record Consumed(String topic, String cluster) {}

  /// Whether this broker consumes what is produced there: the one check for new records and for
  /// tasks in flight (W49). Clusters that have a server in common are the same.
  boolean consumes(String otherTopic, String otherCluster) {
    Set<String> servers = servers(otherCluster);
    return consumed.stream()
        .filter(it -> it.topic.equals(otherTopic))
        .anyMatch(it -> servers(it.cluster).stream().anyMatch(servers::contains));
  }

  /// Whether demoted tasks would send the secrets of one cluster to another.
  boolean sendsSecretsTo(String otherCluster) {
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
