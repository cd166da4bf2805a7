package io.taskbroker.config;

import java.util.function.Function;

/// One key of the configuration.
///
/// @param path the keys from the outermost to the innermost, joined by points
/// @param fallback what holds if nothing is written
/// @param required whether something must be written; then `fallback` is never used for long
/// @param doc for the documentation
/// @param in where its value is found in what was read
record Key<A, T>(
    String path, KeyType<T> type, T fallback, boolean required, KeyDoc doc, Function<A, T> in) {

  /// The same key under another name, and with another default.
  <B> Key<B, T> as(String otherPath, T otherFallback, Function<B, T> otherIn) {
    return new Key<>(otherPath, type, otherFallback, required, doc, otherIn);
  }

  String[] steps() {
    return path.split("\\.");
  }

  /// The value in `area`, as it would be written.
  Object shownIn(A area) {
    return type.shown().apply(in.apply(area));
  }
}
