package io.taskbroker.deadletter;

import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.config.ClusterConfig;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// Resolutions of the dead letters of one topic, in memory. They are in the topic `<dead-letter
/// topic>.resolutions`, compacted, on the same cluster. One thread.
final class Resolutions {
  /// Bound of the resolutions in memory, some 300 bytes each.
  private static final int MAX = 2_000_000;

  private static final String SUFFIX = ".resolutions";

  private final Map<Position, Resolution> byPosition = new HashMap<>();
  private final Map<Fingerprint, Position> byIdentity = new HashMap<>();

  /// Name of the topic that holds the resolutions.
  static String topicOf(String deadLetters) {
    return deadLetters + SUFFIX;
  }

  /// Reads all committed resolutions; none if their topic does not exist.
  ///
  /// @param deadLetters the topic that they are about, opened: older ones are ignored
  static Resolutions load(ClusterConfig cluster, TopicScan deadLetters) {
    var all = new Resolutions();
    Optional<TopicScan> topic = TopicScan.open(cluster, topicOf(deadLetters.topic()));
    if (topic.isEmpty()) {
      return all;
    }
    try (TopicScan scan = topic.get()) {
      scan.ranges()
          .forEach((partition, range) ->
              scan.read(
                  partition,
                  range.begin(),
                  range.end(),
                  message -> {
                    if (message.value() != null) {
                      all.add(
                          message.value(), deadLetters, new Position(partition, message.offset()));
                    }
                    return true;
                  }));
    }
    return all;
  }

  private void add(byte[] value, TopicScan deadLetters, Position at) {
    Optional<Resolution> parsed;
    try {
      parsed = Resolution.parse(value, deadLetters.topicId());
    } catch (IllegalArgumentException e) {
      throw new DeadLetterException(
          "Topic %s at %s: %s; nothing is replayed while the record of replays cannot be read"
              .formatted(topicOf(deadLetters.topic()), at, e.getMessage()),
          e);
    }
    parsed.ifPresent(this::add);
  }

  void add(Resolution resolution) {
    if (byPosition.size() >= MAX) {
      throw new DeadLetterException(
          "More than %,d dead letters are resolved; shorten the retention of the dead-letter topic"
              .formatted(MAX));
    }
    byPosition.put(resolution.letter(), resolution);
    byIdentity.put(resolution.identity(), resolution.letter());
  }

  /// Decision on a dead letter; empty without one, or if only a copy of it was resolved.
  Optional<Resolution> of(DeadLetter letter) {
    Resolution found = byPosition.get(letter.position());
    // Another timestamp: Kafka's log was truncated, and this is another record at its offset.
    return found == null || found.timestamp() != letter.timestamp()
        ? Optional.empty()
        : Optional.of(found);
  }

  /// Position of a resolved copy of the dead letter; empty if there is none.
  Optional<Position> copyOf(DeadLetter letter) {
    @Nullable Position found = byIdentity.get(letter.identity());
    return found == null || found.equals(letter.position()) ? Optional.empty() : Optional.of(found);
  }

  /// Resolved positions below those that Kafka retains, in lists of a given size.
  List<List<Position>> before(SortedMap<Integer, TopicScan.Range> retained, int size) {
    List<Position> gone =
        byPosition.keySet().stream()
            .filter(it -> {
              TopicScan.Range range = retained.get(it.partition());
              return range == null || it.offset() < range.begin();
            })
            .toList();
    var lists = new ArrayList<List<Position>>();
    for (int from = 0; from < gone.size(); from += size) {
      lists.add(gone.subList(from, Math.min(gone.size(), from + size)));
    }
    return lists;
  }
}
