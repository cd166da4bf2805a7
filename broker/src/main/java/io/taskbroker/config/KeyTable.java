package io.taskbroker.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/// Keys of one area, in display and documentation order. Filled during class initialization,
/// immutable afterwards.
///
/// @param <A> type that holds the values of the area
final class KeyTable<A> {
  private final String title;
  private final String meaning;
  private final List<Key<A, ?>> keys = new ArrayList<>();

  /// @param title heading of the area in the documentation
  /// @param meaning description of the area, without a full stop
  KeyTable(String title, String meaning) {
    this.title = title;
    this.meaning = meaning;
  }

  String title() {
    return title;
  }

  String meaning() {
    return meaning;
  }

  List<Key<A, ?>> keys() {
    return Collections.unmodifiableList(keys);
  }

  /// Adds a key that behaves as in the reference.
  <T> Key<A, T> key(String path, KeyType<T> type, T fallback, String meaning, Function<A, T> in) {
    return key(path, type, fallback, KeyDoc.of(meaning), in);
  }

  <T> Key<A, T> key(String path, KeyType<T> type, T fallback, KeyDoc doc, Function<A, T> in) {
    return add(new Key<>(path, type, fallback, false, doc, in));
  }

  /// Adds a required key; `fallback` stands in until its absence is reported.
  <T> Key<A, T> required(
      String path, KeyType<T> type, T fallback, String meaning, Function<A, T> in) {
    return add(new Key<>(path, type, fallback, true, KeyDoc.of(meaning), in));
  }

  <T> Key<A, T> add(Key<A, T> key) {
    keys.add(key);
    return key;
  }
}
