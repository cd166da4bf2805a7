package io.taskbroker.activation;

/// Status of a task as its row stores it. The engine's state machine decides the transitions
/// (`docs/task-states.md`).
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

  /// Name in the database and in metric tags (reference-spec 4.1).
  public String storedName() {
    return storedName;
  }

  /// The status with that stored name.
  ///
  /// @throws IllegalArgumentException if no status has that name
  public static Status ofStoredName(String name) {
    for (Status status : values()) {
      if (status.storedName.equals(name)) {
        return status;
      }
    }
    throw new IllegalArgumentException("Unknown stored status '" + name + "'");
  }

  /// Whether a worker has or may have the task.
  public boolean isHandedOut() {
    return this == CLAIMED || this == PROCESSING;
  }
}
