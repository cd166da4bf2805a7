package io.taskbroker.schedule;

/// Request about schedules that is not carried out; the message says why and what to do.
public final class ScheduleException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final Kind kind;

  public ScheduleException(Kind kind, String message) {
    super(message, null, false, false);
    this.kind = kind;
  }

  /// Kind of refusal, by what the caller can do.
  public enum Kind {
    /// Mend the request.
    INVALID,
    /// There is no schedule of that name.
    NOT_FOUND,
    /// Delete something, or try again later.
    FULL,
    /// A rule of the operator, or the task itself, prevents it.
    REFUSED,
    /// Nothing is known about the outcome: try again.
    UNAVAILABLE
  }

  public Kind kind() {
    return kind;
  }

  static ScheduleException notFound(String name) {
    return new ScheduleException(Kind.NOT_FOUND, "There is no schedule named " + name);
  }

  static ScheduleException invalid(String why) {
    return new ScheduleException(Kind.INVALID, why);
  }
}
