package io.taskbroker.config;

import java.time.Duration;

/// The reference's periodic work, most of which this broker does as soon as it is due.
///
/// @param auditSampleRecords number of records that are audited once a minute; 0 for none
/// @param deadlineResetSkip grace period for deadlines that passed before the start (H16)
public record UpkeepConfig(
    Duration taskInterval,
    Duration unhealthyInterval,
    boolean healthCheckKillswitched,
    Duration deadlineResetSkip,
    Vacuum vacuum,
    int auditSampleRecords) {

  /// Release of free database space.
  public record Vacuum(
      Duration maintenanceInterval, boolean fullOnStart, boolean fullOnUpkeep, Duration interval) {}

  static UpkeepConfig read(Values values) {
    return new UpkeepConfig(
        values.get(UpkeepKeys.UPKEEP_TASK_INTERVAL_MS),
        values.get(UpkeepKeys.UPKEEP_UNHEALTHY_INTERVAL_MS),
        values.get(UpkeepKeys.HEALTH_CHECK_KILLSWITCHED),
        values.get(UpkeepKeys.UPKEEP_DEADLINE_RESET_SKIP_AFTER_STARTUP_SEC),
        new Vacuum(
            values.get(UpkeepKeys.MAINTENANCE_TASK_INTERVAL_MS),
            values.get(UpkeepKeys.FULL_VACUUM_ON_START),
            values.get(UpkeepKeys.FULL_VACUUM_ON_UPKEEP),
            values.get(UpkeepKeys.VACUUM_INTERVAL_MS)),
        values.get(UpkeepKeys.AUDIT_SAMPLE_RECORDS));
  }
}
