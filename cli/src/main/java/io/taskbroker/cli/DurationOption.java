package io.taskbroker.cli;

import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Duration of the command line: a whole number of nine digits at most and its unit, such as
/// `500ms`, `10s`, `5m`, `2h` or `1d`.
final class DurationOption implements ITypeConverter<Duration> {
  @Override
  public Duration convert(String text) {
    String value = text.strip().toLowerCase(Locale.ROOT);
    if (!value.matches("[0-9]{1,9}(ms|[smhd])")) {
      throw new TypeConversionException(
          "'%s' is no time such as 500ms, 10s, 5m, 2h or 1d".formatted(text));
    }
    if (value.endsWith("ms")) {
      return Duration.ofMillis(Long.parseLong(value.substring(0, value.length() - 2)));
    }
    return Duration.parse((value.endsWith("d") ? "P" : "PT") + value);
  }

  /// The duration in whole seconds, rounded up; null for null.
  static @Nullable Long seconds(@Nullable Duration duration) {
    return duration == null ? null : duration.plusMillis(999).toSeconds();
  }
}
