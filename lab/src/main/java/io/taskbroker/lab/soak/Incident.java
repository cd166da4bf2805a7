package io.taskbroker.lab.soak;

import java.util.Optional;

/// A fault that happened. Times are nanoseconds since the start of the load.
///
/// @param application whose workers were killed, if it was that fault
record Incident(FaultKind kind, Optional<Application> application, long begin, long end) {
  /// Whether it overlaps the interval, extended by the slack on both sides.
  boolean touches(long from, long until, long slack) {
    return begin - slack <= until && end + slack >= from;
  }

  boolean concerns(Application other) {
    return application.isEmpty() || application.get() == other;
  }

  @Override
  public String toString() {
    return kind + application.map(a -> " of " + a).orElse("");
  }
}
