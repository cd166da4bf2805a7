package io.taskbroker.deadletter;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Collector of dead letters by task and error; at most 10,000 groups. The rarest of more groups
/// are counted together in the last one, whose task name is `(other)`. One thread.
public final class ErrorGroups {
  private static final int MAX_GROUPS = 10_000;

  private final Map<List<String>, ErrorGroup> groups = new HashMap<>();

  public void add(DeadLetterPage.Entry entry) {
    DeadLetter letter = entry.letter();
    String error = ErrorGroup.normalised(letter.reason());
    List<String> key = List.of(letter.namespace(), letter.taskname(), error);
    if (!groups.containsKey(key) && groups.size() >= MAX_GROUPS) {
      key = List.of("", "(other)", "");
    }
    ErrorGroup group =
        groups.getOrDefault(
            key,
            new ErrorGroup(
                key.get(0),
                key.get(1),
                key.get(2),
                0,
                0,
                Long.MAX_VALUE,
                Long.MIN_VALUE,
                letter.position()));
    groups.put(key, group.with(letter, entry.resolution().isEmpty()));
  }

  /// The groups, most frequent first.
  public List<ErrorGroup> mostFrequentFirst() {
    return groups.values().stream()
        .sorted(Comparator.comparingLong(ErrorGroup::count).reversed())
        .toList();
  }
}
