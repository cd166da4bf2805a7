package io.taskbroker.runtime;

import java.time.Duration;
import java.util.List;

/// Health of the broker at one moment. Immutable.
///
/// @param live false if only a restart helps
/// @param ready whether workers and producers of reports should call this broker
/// @param takenAt monotonic time in nanoseconds
/// @param entries conditions that hold, oldest first
public record HealthReport(boolean live, boolean ready, long takenAt, List<Entry> entries) {
  /// Age from which a report means that the thread which makes them has stopped.
  public static final Duration STALE_AFTER = Duration.ofSeconds(30);

  public HealthReport {
    entries = List.copyOf(entries);
  }

  /// Condition with its age.
  ///
  /// @param sinceMillis beginning, in milliseconds since the epoch by the present clock
  /// @param seconds age
  public record Entry(Condition condition, long sinceMillis, long seconds) {}
}
