package io.taskbroker.config;

import io.taskbroker.config.ConfigNode.Items;
import io.taskbroker.config.ConfigNode.Scalar;
import io.taskbroker.config.ConfigNode.Section;
import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;

/// Type of a key's value: parsing, validation and rendering.
///
/// @param name name in the documentation
/// @param allowed description of valid values, as the end of an error message
/// @param secret whether the value is hidden wherever it would be shown
/// @param reader parser; returns empty after reporting a problem
/// @param shown renders the value: text, number, boolean, list or map; an empty Optional for null
record KeyType<T>(
    String name, String allowed, boolean secret, Reader<T> reader, Function<T, Object> shown) {

  /// Parses the value of `key`.
  interface Reader<T> {
    Optional<T> read(ConfigNode node, String key, Problems problems);
  }

  private static final BigInteger UINT64_MAX =
      BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

  Optional<T> read(ConfigNode node, String key, Problems problems) {
    return reader.read(node, key, problems);
  }

  static KeyType<String> text() {
    return leaf("text", "must be text; quote it if it looks like a number", false, KeyType::text);
  }

  /// Non-empty text.
  static KeyType<String> filledText() {
    return leaf(
        "text",
        "must be text, and not empty; quote it if it looks like a number",
        false,
        node -> text(node).filter(text -> !text.isBlank()));
  }

  static KeyType<Secret> secretText() {
    return leaf(
        "secret text",
        "must be text; quote it if it looks like a number",
        true,
        node -> text(node).map(Secret::new));
  }

  /// Non-empty secret: an empty one could be guessed.
  static KeyType<Secret> filledSecretText() {
    return leaf(
        "secret text",
        "must be text, and not empty; quote it if it looks like a number",
        true,
        node -> text(node).filter(text -> !text.isBlank()).map(Secret::new));
  }

  static KeyType<Boolean> bool() {
    return leaf(
        "boolean",
        "must be true or false",
        false,
        node -> node instanceof Scalar(Boolean value, _) ? Optional.of(value) : Optional.empty());
  }

  /// Integer of at least `min`; larger numbers are clamped to the maximum.
  static KeyType<Integer> count(int min) {
    return leaf(
        "integer",
        "must be a whole number of at least " + min,
        false,
        node ->
            unsigned(node)
                .map(number -> number.min(BigInteger.valueOf(Integer.MAX_VALUE)).intValue())
                .filter(number -> number >= min));
  }

  static KeyType<Integer> integer(int min, int max) {
    return leaf(
        "integer",
        "must be a whole number from " + min + " to " + max,
        false,
        node ->
            whole(node)
                .filter(number ->
                    number.compareTo(BigInteger.valueOf(min)) >= 0
                        && number.compareTo(BigInteger.valueOf(max)) <= 0)
                .map(BigInteger::intValue));
  }

  /// Number of bytes or rows; larger numbers are clamped to the maximum.
  static KeyType<Long> size() {
    return leaf(
        "integer",
        "must be a whole number of at least 0",
        false,
        node ->
            unsigned(node)
                .map(number -> number.min(BigInteger.valueOf(Long.MAX_VALUE)).longValue()));
  }

  static KeyType<Double> number() {
    return leaf(
        "number",
        "must be a number",
        false,
        node ->
            node instanceof Scalar(Number value, _) && Double.isFinite(value.doubleValue())
                ? Optional.of(value.doubleValue())
                : Optional.empty());
  }

  /// Enum constant in lower case.
  static <E extends Enum<E>> KeyType<E> oneOf(Class<E> type) {
    E[] constants = type.getEnumConstants();
    String names =
        Arrays.stream(constants)
            .map(constant -> constant.name().toLowerCase(Locale.ROOT))
            .reduce((a, b) -> a + " or " + b)
            .orElseThrow();
    return leaf(
            names,
            "must be " + names,
            false,
            node ->
                text(node)
                    .flatMap(text ->
                        Arrays.stream(constants)
                            .filter(c -> c.name().toLowerCase(Locale.ROOT).equals(text))
                            .findFirst()))
        .showing(value -> value.name().toLowerCase(Locale.ROOT));
  }

  /// One of the given words in any case, mapped to its value.
  static <T> KeyType<T> oneOf(Map<String, T> words, Function<T, Object> shown) {
    String names = String.join(", ", words.keySet());
    return KeyType.<T>leaf(
            names,
            "must be one of " + names,
            false,
            node ->
                text(node)
                    .flatMap(text -> Optional.ofNullable(words.get(text.toLowerCase(Locale.ROOT)))))
        .showing(shown);
  }

  static KeyType<Path> path() {
    return new KeyType<>(
        "path", "must be the path of a file", false, KeyType::readPath, Path::toString);
  }

  private static Optional<Path> readPath(ConfigNode node, String key, Problems problems) {
    Optional<String> text = text(node).filter(written -> !written.isBlank());
    Optional<String> flaw = text.flatMap(PlatformEncoding::flaw);
    if (text.isPresent() && flaw.isEmpty()) {
      try {
        return Optional.of(Path.of(text.get()));
      } catch (InvalidPathException _) {
        // reported below
      }
    }
    problems.add(key, node, false, flaw.orElse("must be the path of a file"));
    return Optional.empty();
  }

  /// Optional value: null or absent means none.
  static <T> KeyType<Optional<T>> optional(KeyType<T> type) {
    return new KeyType<>(
        type.name + "?",
        type.allowed + ", or null",
        type.secret,
        (node, key, problems) -> {
          if (node.isNull()) {
            return Optional.of(Optional.empty());
          }
          Optional<T> value = type.read(node, key, problems);
          return value.isPresent() ? Optional.of(value) : Optional.empty();
        },
        value -> value.map(type.shown));
  }

  static <T> KeyType<List<T>> list(KeyType<T> type) {
    return new KeyType<>(
        "list of " + type.name,
        "must be a list",
        type.secret,
        (node, key, problems) -> readList(type, node, key, problems),
        values -> values.stream().map(type.shown).toList());
  }

  static <T> KeyType<Map<String, T>> map(KeyType<T> type) {
    return new KeyType<>(
        "map to " + type.name,
        "must be a map",
        type.secret,
        (node, key, problems) -> readMap(type, node, key, problems),
        values -> {
          var shown = new LinkedHashMap<String, Object>();
          values.forEach((key, value) -> shown.put(key, type.shown.apply(value)));
          return shown;
        });
  }

  /// Copy with another rendering.
  KeyType<T> showing(Function<T, Object> other) {
    return new KeyType<>(name, allowed, secret, reader, other);
  }

  /// Copy with an additional condition.
  ///
  /// @param inWords description of the condition, as the end of an error message
  KeyType<T> where(Predicate<T> condition, String inWords) {
    String narrower = allowed + inWords;
    return new KeyType<>(
        name,
        narrower,
        secret,
        (node, key, problems) -> {
          Optional<T> value = reader.read(node, key, problems);
          if (value.isPresent() && !condition.test(value.get())) {
            problems.add(key, node, secret, narrower);
            return Optional.empty();
          }
          return value;
        },
        shown);
  }

  /// Type of values other than lists and maps.
  ///
  /// @param parse returns empty for an invalid value
  static <T> KeyType<T> leaf(
      String name, String allowed, boolean secret, Function<ConfigNode, Optional<T>> parse) {
    return new KeyType<>(
        name,
        allowed,
        secret,
        (node, key, problems) -> {
          Optional<T> value = parse.apply(node);
          if (value.isEmpty()) {
            problems.add(key, node, secret, allowed);
          }
          return value;
        },
        value -> value);
  }

  private static <T> Optional<List<T>> readList(
      KeyType<T> type, ConfigNode node, String key, Problems problems) {
    if (node.isNull()) {
      return Optional.of(List.of());
    }
    if (!(node instanceof Items(var items, _))) {
      problems.add(key, node, type.secret, "must be a list such as [a, b]");
      return Optional.empty();
    }
    var values = new ArrayList<T>();
    for (int i = 0; i < items.size(); i++) {
      type.read(items.get(i), key + "[" + i + "]", problems).ifPresent(values::add);
    }
    return Optional.of(List.copyOf(values));
  }

  private static <T> Optional<Map<String, T>> readMap(
      KeyType<T> type, ConfigNode node, String key, Problems problems) {
    if (node.isNull()) {
      return Optional.of(Map.of());
    }
    if (!(node instanceof Section(var entries, _))) {
      problems.add(key, node, type.secret, "must be a map such as {name: value}");
      return Optional.empty();
    }
    var values = new LinkedHashMap<String, T>();
    entries.forEach((name, value) ->
        type.read(value, key + "." + name, problems).ifPresent(v -> values.put(name, v)));
    return Optional.of(Collections.unmodifiableMap(values));
  }

  static Optional<String> text(ConfigNode node) {
    return node instanceof Scalar(String text, _) ? Optional.of(text) : Optional.empty();
  }

  private static Optional<BigInteger> whole(ConfigNode node) {
    return node instanceof Scalar(BigInteger number, _) ? Optional.of(number) : Optional.empty();
  }

  static Optional<BigInteger> unsigned(ConfigNode node) {
    return whole(node).filter(number -> number.signum() >= 0 && number.compareTo(UINT64_MAX) <= 0);
  }
}
