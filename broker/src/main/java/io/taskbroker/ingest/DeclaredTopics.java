package io.taskbroker.ingest;

import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/// The stage that looks after topics which are to exist: creates those that are missing, and says
/// so where it may not (reference-spec 9.7). Each cluster has a thread of its own until all of its
/// topics exist, so that one that is down holds up no other (G8).
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

  /// Returns when the clusters have been asked once, so that who comes next finds the topics; after
  /// five seconds in any case. What is missing then is looked after in the background.
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
