package io.taskbroker.store;

import java.util.HashMap;
import java.util.Map;

/// Interner of the names in rows that are read: a million rows of one application hold its name
/// once. Holds up to 10,000 names. Not thread-safe.
public final class RowNames {
  private static final int MAX_NAMES = 10_000;

  private final Map<String, String> names = new HashMap<>();

  /// The first name that was equal to this one.
  public String shared(String name) {
    if (names.size() >= MAX_NAMES) {
      names.clear();
    }
    String first = names.putIfAbsent(name, name);
    return first == null ? name : first;
  }
}
