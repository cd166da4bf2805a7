package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.integer;

import java.time.Duration;

/// Configuration keys: the reference's periodic work, most of which this broker does as soon as it
/// is due.
final class UpkeepKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>(
          "Upkeep",
          "The reference's periodic work, most of which this broker does as soon as it is due");

  static final Key<BrokerConfig, Duration> UPKEEP_TASK_INTERVAL_MS =
      TABLE.key(
          "upkeep_task_interval_ms",
          millis(0),
          Duration.ofSeconds(1),
          KeyDoc.noted("Upkeep interval", "of gauges only: everything else happens when it is due"),
          c -> c.upkeep().taskInterval());

  static final Key<BrokerConfig, Duration> UPKEEP_UNHEALTHY_INTERVAL_MS =
      TABLE.key(
          "upkeep_unhealthy_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          KeyDoc.noted(
              "Time without progress after which a stage is unhealthy",
              "at least 10 s; counts only while the stage has work"),
          c -> c.upkeep().unhealthyInterval());

  static final Key<BrokerConfig, Boolean> HEALTH_CHECK_KILLSWITCHED =
      TABLE.key(
          "health_check_killswitched",
          bool(),
          false,
          "Whether the broker always reports healthy",
          c -> c.upkeep().healthCheckKillswitched());

  static final Key<BrokerConfig, Duration> UPKEEP_DEADLINE_RESET_SKIP_AFTER_STARTUP_SEC =
      TABLE.key(
          "upkeep_deadline_reset_skip_after_startup_sec",
          seconds(),
          Duration.ofMinutes(1),
          KeyDoc.noted(
              "Time after start during which deadlines that passed before it are ignored",
              "once per task, so that restarts do not postpone them indefinitely; tasks that"
                  + " workers had from streams wait for those workers, for 5 s"),
          c -> c.upkeep().deadlineResetSkip());

  static final Key<BrokerConfig, Duration> MAINTENANCE_TASK_INTERVAL_MS =
      TABLE.key(
          "maintenance_task_interval_ms",
          millis(0),
          Duration.ofSeconds(6),
          KeyDoc.noted(
              "Interval of incremental vacuum",
              "runs while nothing waits to be written; at least 1 s"),
          c -> c.upkeep().vacuum().maintenanceInterval());

  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_START =
      TABLE.key(
          "full_vacuum_on_start",
          bool(),
          true,
          KeyDoc.noted(
              "Whether the database is vacuumed at start",
              "if more than half of the file, and more than 64 MiB, is free"),
          c -> c.upkeep().vacuum().fullOnStart());

  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_UPKEEP =
      TABLE.key(
          "full_vacuum_on_upkeep",
          bool(),
          true,
          KeyDoc.unused(
              "Whether the database is vacuumed periodically",
              "it would delay reports; free pages are released incrementally"),
          c -> c.upkeep().vacuum().fullOnUpkeep());

  static final Key<BrokerConfig, Duration> VACUUM_INTERVAL_MS =
      TABLE.key(
          "vacuum_interval_ms",
          millis(0),
          Duration.ofSeconds(30),
          KeyDoc.unused("Interval of that vacuum", "see full_vacuum_on_upkeep"),
          c -> c.upkeep().vacuum().interval());

  static final Key<BrokerConfig, Integer> AUDIT_SAMPLE_RECORDS =
      TABLE.key(
          "audit_sample_records",
          integer(0, 10_000),
          0,
          KeyDoc.noted(
              "Records of a partition of each topic that the broker audits once a minute; 0"
                  + " disables it",
              "not in the reference; with SQLite, each sample reads the whole table once"),
          c -> c.upkeep().auditSampleRecords());

  private UpkeepKeys() {}
}
