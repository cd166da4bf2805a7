package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.millis;
import static io.taskbroker.config.DurationTypes.seconds;
import static io.taskbroker.config.KeyType.bool;

import java.time.Duration;

/// The periodic work of the reference, most of which happens when it is due here: the keys of the
/// area.
final class UpkeepKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>(
          "Upkeep",
          "The periodic work of the reference, most of which happens when it is due here");

  static final Key<BrokerConfig, Duration> UPKEEP_TASK_INTERVAL_MS =
      TABLE.key(
          "upkeep_task_interval_ms",
          millis(0),
          Duration.ofSeconds(1),
          KeyDoc.noted("The period of upkeep", "of gauges only: all else happens when it is due"),
          c -> c.upkeep().taskInterval());

  static final Key<BrokerConfig, Duration> UPKEEP_UNHEALTHY_INTERVAL_MS =
      TABLE.key(
          "upkeep_unhealthy_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          KeyDoc.noted(
              "After which a stage that makes no progress is unhealthy",
              "10 s at least: a stage is judged by whether it does any of the work that it has"),
          c -> c.upkeep().unhealthyInterval());

  static final Key<BrokerConfig, Boolean> HEALTH_CHECK_KILLSWITCHED =
      TABLE.key(
          "health_check_killswitched",
          bool(),
          false,
          "Whether the broker always says that it is healthy",
          c -> c.upkeep().healthCheckKillswitched());

  static final Key<BrokerConfig, Duration> UPKEEP_DEADLINE_RESET_SKIP_AFTER_STARTUP_SEC =
      TABLE.key(
          "upkeep_deadline_reset_skip_after_startup_sec",
          seconds(),
          Duration.ofMinutes(1),
          KeyDoc.noted(
              "How long after start deadlines that passed before it are not acted on",
              "once for each task, so that restarts do not postpone them for ever"),
          c -> c.upkeep().deadlineResetSkip());

  static final Key<BrokerConfig, Duration> MAINTENANCE_TASK_INTERVAL_MS =
      TABLE.key(
          "maintenance_task_interval_ms",
          millis(0),
          Duration.ofSeconds(6),
          KeyDoc.noted(
              "The period of incremental vacuum",
              "in moments in which nothing waits to be written; 1 s at least"),
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
              "Whether the database is vacuumed again and again",
              "it would hold reports up; free pages are given back a few at a time"),
          c -> c.upkeep().vacuum().fullOnUpkeep());

  static final Key<BrokerConfig, Duration> VACUUM_INTERVAL_MS =
      TABLE.key(
          "vacuum_interval_ms",
          millis(0),
          Duration.ofSeconds(30),
          KeyDoc.unused("The period of that", "see full_vacuum_on_upkeep"),
          c -> c.upkeep().vacuum().interval());

  private UpkeepKeys() {}
}
