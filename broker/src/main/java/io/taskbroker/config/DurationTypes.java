package io.taskbroker.config;

import java.math.BigInteger;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Key types of durations: a number in the unit that the key name has, or a text such as `250ms`.
/// Each is bounded, so that no arithmetic with it overflows.
final class DurationTypes {
  /// Maximum duration, to which longer ones are clamped, so that arithmetic does not overflow.
  private static final Duration LONGEST = Duration.ofDays(3653);

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,20})(ms|s)");

  private DurationTypes() {}

  /// Integer number of milliseconds.
  static KeyType<Duration> millis(int min) {
    return time("milliseconds", min, "must be a whole number of milliseconds", Duration::ofMillis)
        .showing(Duration::toMillis);
  }

  /// Integer number of seconds within inclusive bounds.
  static KeyType<Duration> seconds(int min, int max) {
    return time("seconds", min, "must be a whole number of seconds", Duration::ofSeconds)
        .where(value -> value.compareTo(Duration.ofSeconds(max)) <= 0, " and at most " + max)
        .showing(Duration::toSeconds);
  }

  /// Integer number of seconds.
  static KeyType<Duration> seconds() {
    return time("seconds", 0, "must be a whole number of seconds", Duration::ofSeconds)
        .showing(Duration::toSeconds);
  }

  /// `250ms` or `1s`.
  static KeyType<Duration> duration() {
    return KeyType.leaf(
            "duration",
            "must be a duration such as 250ms or 1s",
            false,
            node -> KeyType.text(node).flatMap(DurationTypes::duration))
        .showing(DurationTypes::duration);
  }

  static KeyType<Duration> durationNotZero() {
    return duration().where(value -> !value.isZero(), ", and not zero");
  }

  private static KeyType<Duration> time(
      String name, int min, String allowed, Function<Long, Duration> unit) {
    return KeyType.leaf(
        name,
        allowed + " of at least " + min,
        false,
        node ->
            KeyType.unsigned(node)
                .filter(number -> number.compareTo(BigInteger.valueOf(min)) >= 0)
                .map(number -> bounded(number, unit)));
  }

  private static Optional<Duration> duration(String text) {
    Matcher written = DURATION.matcher(text);
    if (!written.matches()) {
      return Optional.empty();
    }
    Function<Long, Duration> unit =
        written.group(2).equals("s") ? Duration::ofSeconds : Duration::ofMillis;
    return Optional.of(bounded(new BigInteger(written.group(1)), unit));
  }

  private static Duration bounded(BigInteger number, Function<Long, Duration> unit) {
    long bounded = number.min(BigInteger.valueOf(LONGEST.toMillis())).longValue();
    Duration duration = unit.apply(bounded);
    return duration.compareTo(LONGEST) < 0 ? duration : LONGEST;
  }

  private static String duration(Duration value) {
    return value.toMillis() % 1000 == 0 && !value.isZero()
        ? value.toSeconds() + "s"
        : value.toMillis() + "ms";
  }
}
