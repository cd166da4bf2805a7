package io.taskbroker.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Function;

/// The keys of one area, in the order in which they are shown and documented. Filled while its
/// class is initialized, and not changed later.
///
/// @param <A> where the values of the area are found
final class KeyTable<A> {
  private final String title;
  private final String meaning;
  private final List<Key<A, ?>> keys = new ArrayList<>();

  /// @param title the heading of the area in the documentation
  /// @param meaning what the area is about, without a full stop
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

  /// A key that is honoured and says all in its meaning.
  <T> Key<A, T> key(String path, KeyType<T> type, T fallback, String meaning, Function<A, T> in) {
    return key(path, type, fallback, KeyDoc.of(meaning), in);
  }

  <T> Key<A, T> key(String path, KeyType<T> type, T fallback, KeyDoc doc, Function<A, T> in) {
    return add(new Key<>(path, type, fallback, false, doc, in));
  }

  /// A key that must be written; `fallback` stands for it until its absence is told.
  <T> Key<A, T> required(
      String path, KeyType<T> type, T fallback, String meaning, Function<A, T> in) {
    return add(new Key<>(path, type, fallback, true, KeyDoc.of(meaning), in));
  }

  <T> Key<A, T> add(Key<A, T> key) {
    keys.add(key);
    return key;
  }
}
