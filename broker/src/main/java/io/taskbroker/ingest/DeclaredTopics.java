package io.taskbroker.ingest;

import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/// Stage that checks the declared topics: it creates the missing ones, and logs those that it must
/// not create (reference-spec 9.7). Each cluster has its own thread until all of its topics exist,
/// so a cluster that is down delays no other (G8).
public final class DeclaredTopics implements Service {
  private static final Duration START_PATIENCE = Duration.ofSeconds(5);

  private final List<ClusterTopics> clusters;
  private final boolean creates;

  public DeclaredTopics(List<DeclaredTopic> topics, FailureSink failures) {
    this.creates = topics.stream().anyMatch(DeclaredTopic::mayBeCreated);
    this.clusters =
        topics.stream()
            .collect(Collectors.groupingBy(DeclaredTopic::clientProperties))
            .values()
            .stream()
            .map(those -> new ClusterTopics(those, failures))
            .toList();
  }

  @Override
  public String name() {
    return "topics";
  }

  /// Starts the threads. Returns after each cluster was asked once, so that the following stages
  /// find the topics, and after five seconds at the latest. The threads look after topics missing
  /// by then.
  @Override
  public void start() {
    clusters.forEach(ClusterTopics::start);
    if (creates) {
      long end = System.nanoTime() + START_PATIENCE.toNanos();
      clusters.forEach(cluster -> cluster.awaitFirstRound(end));
    }
  }

  @Override
  public void stop() {
    clusters.forEach(ClusterTopics::askToStop);
    clusters.forEach(ClusterTopics::awaitStop);
  }
}
