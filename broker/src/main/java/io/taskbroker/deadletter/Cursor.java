package io.taskbroker.deadletter;

import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Position in a dead-letter topic at which the next page begins: the next offset of each
/// partition. Its text form, `partition:offset,…`, is stable: it can be kept and used again.
/// Immutable.
public record Cursor(SortedMap<Integer, Long> offsets) {
  /// The beginning of the topic.
  public static final Cursor START = new Cursor(new TreeMap<>());

  public Cursor {
    offsets = new TreeMap<>(offsets);
  }

  /// Parses the text form; empty text is the beginning.
  ///
  /// @throws IllegalArgumentException if it is no cursor
  public static Cursor of(String text) {
    var offsets = new TreeMap<Integer, Long>();
    if (!text.isEmpty()) {
      for (String part : text.split(",", -1)) {
        Position position = Position.of(part);
        offsets.put(position.partition(), position.offset());
      }
    }
    return new Cursor(offsets);
  }

  long offset(int partition) {
    return offsets.getOrDefault(partition, 0L);
  }

  @Override
  public String toString() {
    return offsets.entrySet().stream()
        .map(it -> it.getKey() + ":" + it.getValue())
        .collect(Collectors.joining(","));
  }
}
