package io.taskbroker.activation;

/// Status of an activation, as its row has it. What follows what is decided by the engine's state
/// machine (`docs/task-states.md`).
public enum Status {
  PENDING("Pending"),
  CLAIMED("Claimed"),
  PROCESSING("Processing"),
  FAILURE("Failure"),
  RETRY("Retry"),
  COMPLETE("Complete"),
  DELAY("Delay");

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

  /// Whether a worker has, or may have, the activation.
  public boolean isHandedOut() {
    return this == CLAIMED || this == PROCESSING;
  }
}
