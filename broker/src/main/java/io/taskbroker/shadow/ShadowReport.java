package io.taskbroker.shadow;

import java.util.EnumMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/// Counts of a shadow reading, with one example of each verdict. One thread.
public final class ShadowReport {
  private final SortedMap<String, Topic> topics = new TreeMap<>();

  /// Counts of one topic.
  public static final class Topic {
    private final Map<Verdict, Tally> tallies = new EnumMap<>(Verdict.class);
    private long atMostOnce;

    private Topic() {}

    /// By verdict, in the order of the verdicts.
    public Map<Verdict, Tally> tallies() {
      return tallies;
    }

    /// Number of tasks that run at most once.
    public long atMostOnce() {
      return atMostOnce;
    }

    void add(Verdict verdict, boolean once, String example) {
      atMostOnce += once ? 1 : 0;
      tallies.merge(
          verdict, new Tally(1, example), (old, _) -> new Tally(old.count() + 1, old.example()));
    }
  }

  /// @param example partition, offset and detail of the first record
  public record Tally(long count, String example) {}

  /// The topics that were read, by name.
  public SortedMap<String, Topic> topics() {
    return topics;
  }

  /// Number of records.
  public long records() {
    return topics.values().stream()
        .flatMap(topic -> topic.tallies.values().stream())
        .mapToLong(Tally::count)
        .sum();
  }

  Topic topic(String name) {
    return topics.computeIfAbsent(name, _ -> new Topic());
  }
}
