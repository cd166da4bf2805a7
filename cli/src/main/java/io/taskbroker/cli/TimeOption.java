package io.taskbroker.cli;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Point in time of the command line: RFC 3339 (`2026-11-30T08:00:00Z`), or a time ago (`90s`,
/// `30m`, `2h`, `7d`).
final class TimeOption implements ITypeConverter<Instant> {
  @Override
  public Instant convert(String text) {
    try {
      if (text.matches("[0-9]{1,9}[smhdSMHD]")) {
        String ago = text.toUpperCase(Locale.ROOT);
        return Instant.now().minus(Duration.parse((ago.endsWith("D") ? "P" : "PT") + ago));
      }
      return Instant.parse(text);
    } catch (DateTimeException e) {
      throw new TypeConversionException(
          "'%s' is no time such as 2026-11-30T08:00:00Z, 30m, 2h or 7d".formatted(text));
    }
  }
}
