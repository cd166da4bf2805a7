package io.taskbroker.lab.soak;

import java.util.Optional;

/// A fault that has happened. Times are nanoseconds since the beginning of the load.
///
/// @param application whose workers were gone, if that is what it was
record Incident(FaultKind kind, Optional<Application> application, long begin, long end) {
  /// Whether it lasted at any moment between the two, or so long before or after.
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
