package io.taskbroker.deadletter;

import io.taskbroker.config.ClusterConfig;
import io.taskbroker.config.KafkaConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;

/// Browser of a dead-letter topic. One thread.
public final class DeadLetters implements AutoCloseable {
  private static final int MAX_PAGE = 10_000;

  private final ClusterConfig cluster;
  private final TopicScan scan;
  private final Resolutions resolutions;

  private DeadLetters(ClusterConfig cluster, TopicScan scan) {
    this.cluster = cluster;
    this.scan = scan;
    this.resolutions = Resolutions.load(cluster, scan);
  }

  /// Opens a topic up to its present end.
  ///
  /// @param topic one of `kafka_topics`
  /// @throws DeadLetterException if the topic is not declared or does not exist, or Kafka does not
  ///   answer
  public static DeadLetters open(KafkaConfig kafka, String topic) {
    ClusterConfig cluster = cluster(kafka, topic);
    TopicScan scan = open(cluster, topic);
    try {
      return new DeadLetters(cluster, scan);
    } catch (RuntimeException e) {
      scan.close();
      throw e;
    }
  }

  static ClusterConfig cluster(KafkaConfig kafka, String topic) {
    try {
      return kafka.clusterOf(topic);
    } catch (IllegalArgumentException e) {
      throw new DeadLetterException(e.getMessage() + "; declare it, or name another topic", e);
    }
  }

  static TopicScan open(ClusterConfig cluster, String topic) {
    return TopicScan.open(cluster, topic)
        .orElseThrow(() ->
            new DeadLetterException(
                "Topic %s does not exist at %s".formatted(topic, cluster.address())));
  }

  /// Number of records in the topic, control records included.
  public long size() {
    return scan.ranges().values().stream().mapToLong(it -> it.end() - it.begin()).sum();
  }

  ClusterConfig cluster() {
    return cluster;
  }

  /// Page of the dead letters that match.
  ///
  /// @param limit maximum number of entries, 1 to 10,000
  /// @param maxScanned maximum number of records that are read for the page; at least 1
  public DeadLetterPage page(DeadLetterFilter filter, Cursor from, int limit, long maxScanned) {
    var entries = new ArrayList<DeadLetterPage.Entry>();
    int most = Math.clamp(limit, 1, MAX_PAGE);
    Visited visited =
        visit(
            filter,
            from,
            (scanned, entry) -> {
              entry.ifPresent(entries::add);
              return scanned < maxScanned && entries.size() < most;
            });
    return new DeadLetterPage(entries, visited.next(), visited.complete(), visited.scanned());
  }

  /// Receiver of the records of a topic.
  @FunctionalInterface
  public interface Visitor {
    /// Takes a record.
    ///
    /// @param scanned number of records so far, with this one
    /// @param entry empty if it does not match
    /// @return whether to go on
    boolean visit(long scanned, Optional<DeadLetterPage.Entry> entry);
  }

  /// How far a visit came.
  ///
  /// @param next where the next one goes on
  /// @param complete whether the end of the topic was reached
  public record Visited(Cursor next, boolean complete, long scanned) {}

  /// Reads records until the visitor refuses more.
  public Visited visit(DeadLetterFilter filter, Cursor from, Visitor visitor) {
    var scanned = new Counter();
    var next = new TreeMap<Integer, Long>();
    boolean complete = true;
    for (int partition : scan.ranges().keySet()) {
      TopicScan.Range range = filter.range(scan, partition);
      long begin = Math.max(from.offset(partition), range.begin());
      if (!scanned.stopped) {
        begin =
            scan.read(
                partition,
                begin,
                range.end(),
                message -> {
                  DeadLetter letter = DeadLetter.read(message);
                  scanned.count++;
                  scanned.stopped =
                      !visitor.visit(
                          scanned.count,
                          filter.matches(letter)
                              ? Optional.of(
                                  new DeadLetterPage.Entry(letter, resolutions.of(letter)))
                              : Optional.empty());
                  return !scanned.stopped;
                });
      }
      next.put(partition, begin);
      complete &= begin >= range.end();
    }
    return new Visited(new Cursor(next), complete, scanned.count);
  }

  private static final class Counter {
    private long count;
    private boolean stopped;
  }

  /// Reads the whole topic.
  ///
  /// @param visitor receives each dead letter that matches
  public void forEach(DeadLetterFilter filter, Consumer<DeadLetterPage.Entry> visitor) {
    for (int partition : scan.ranges().keySet()) {
      TopicScan.Range range = filter.range(scan, partition);
      scan.read(
          partition,
          range.begin(),
          range.end(),
          message -> {
            DeadLetter letter = DeadLetter.read(message);
            if (filter.matches(letter)) {
              visitor.accept(new DeadLetterPage.Entry(letter, resolutions.of(letter)));
            }
            return true;
          });
    }
  }

  /// Groups by task and error, most frequent first, as [ErrorGroups].
  public List<ErrorGroup> groups(DeadLetterFilter filter) {
    var groups = new ErrorGroups();
    forEach(filter, groups::add);
    return groups.mostFrequentFirst();
  }

  /// The dead letter at a position, or the last one of a task by its id or first id.
  public Optional<DeadLetterPage.Entry> find(String positionOrId) {
    if (Position.isPosition(positionOrId)) {
      return at(Position.of(positionOrId));
    }
    var found = new ArrayList<DeadLetterPage.Entry>(1);
    forEach(
        DeadLetterFilter.of(Set.of(positionOrId)),
        entry -> {
          found.clear();
          found.add(entry);
        });
    return found.stream().findFirst();
  }

  private Optional<DeadLetterPage.Entry> at(Position position) {
    var found = new ArrayList<DeadLetterPage.Entry>(1);
    if (scan.ranges().containsKey(position.partition())) {
      scan.read(
          position.partition(),
          position.offset(),
          position.offset() + 1,
          message -> {
            DeadLetter letter = DeadLetter.read(message);
            found.add(new DeadLetterPage.Entry(letter, resolutions.of(letter)));
            return false;
          });
    }
    return found.stream().filter(entry -> entry.letter().position().equals(position)).findFirst();
  }

  @Override
  public void close() {
    scan.close();
  }
}
