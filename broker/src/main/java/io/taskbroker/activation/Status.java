package io.taskbroker.activation;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/// The status of an activation, with the transitions that are legal between statuses.
///
/// `Complete` may follow every other status, because a task that ran to its end is done however
/// late its report is (G6, H18); nothing follows `Complete`.
public enum Status {
  PENDING("Pending"),
  CLAIMED("Claimed"),
  PROCESSING("Processing"),
  FAILURE("Failure"),
  RETRY("Retry"),
  COMPLETE("Complete"),
  DELAY("Delay");

  private static final Map<Status, Set<Status>> NEXT =
      Map.of(
          PENDING, EnumSet.of(CLAIMED, PROCESSING, FAILURE, RETRY, COMPLETE),
          CLAIMED, EnumSet.of(PENDING, PROCESSING, FAILURE, RETRY, COMPLETE),
          PROCESSING, EnumSet.of(PENDING, FAILURE, RETRY, COMPLETE),
          FAILURE, EnumSet.of(COMPLETE),
          RETRY, EnumSet.of(FAILURE, COMPLETE),
          COMPLETE, EnumSet.noneOf(Status.class),
          DELAY, EnumSet.of(PENDING, FAILURE, RETRY, COMPLETE));

  private final String storedName;

  Status(String storedName) {
    this.storedName = storedName;
  }

  /// The name in the database and in metric tags (reference-spec 4.1).
  public String storedName() {
    return storedName;
  }

  /// The status of that stored name.
  ///
  /// @throws IllegalArgumentException if no status has that name
  public static Status ofStoredName(String name) {
    for (Status status : values()) {
      if (status.storedName.equals(name)) {
        return status;
      }
    }
    throw new IllegalArgumentException("No status is stored as '" + name + "'");
  }

  /// Whether an activation of this status may take `next`.
  public boolean canBecome(Status next) {
    return NEXT.getOrDefault(this, Set.of()).contains(next);
  }

  /// Whether a worker has, or may have, the activation.
  public boolean isHandedOut() {
    return this == CLAIMED || this == PROCESSING;
  }
}
