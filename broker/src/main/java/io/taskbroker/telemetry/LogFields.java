package io.taskbroker.telemetry;

/// The names of fields in lines of the log.
public final class LogFields {
  /// The id of the activation that a line is about. Every line about one has it.
  public static final String TASK_ID = "task_id";

  /// The application that a line is about.
  public static final String APPLICATION = "application";

  private LogFields() {}
}
