package io.taskbroker.telemetry;

/// Names of structured log fields.
public final class LogFields {
  /// Stable name of the event that a line reports, such as `dead_lettered`; only in JSON.
  public static final String EVENT = "event";

  /// Id of the activation that a line is about; present on every such line.
  public static final String TASK_ID = "task_id";

  /// Application that a line is about.
  public static final String APPLICATION = "application";

  /// Trace that the task of a line belongs to.
  public static final String TRACE_ID = "trace_id";

  /// Key of the row that a line is about.
  public static final String KEY = "key";

  /// Topic and partition that a line is about.
  public static final String PARTITION = "partition";

  private LogFields() {}
}
