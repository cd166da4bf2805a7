package io.taskbroker.config;

import java.util.function.Function;

/// Configuration key.
///
/// @param path keys from the outermost to the innermost, joined by dots
/// @param fallback default value
/// @param required whether a value must be given; then `fallback` only stands in until the problem
///   is reported
/// @param doc documentation
/// @param in accessor of its value in the loaded configuration
record Key<A, T>(
    String path, KeyType<T> type, T fallback, boolean required, KeyDoc doc, Function<A, T> in) {

  /// Copy of the key with another name and default.
  <B> Key<B, T> as(String otherPath, T otherFallback, Function<B, T> otherIn) {
    return new Key<>(otherPath, type, otherFallback, required, doc, otherIn);
  }

  String[] steps() {
    return path.split("\\.");
  }

  /// Value in `area`, as it would be written.
  Object shownIn(A area) {
    return type.shown().apply(in.apply(area));
  }
}
