package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.millis;
import static io.taskbroker.config.KeyType.seconds;

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
          "The period of upkeep",
          c -> c.upkeep().taskInterval());

  static final Key<BrokerConfig, Duration> UPKEEP_UNHEALTHY_INTERVAL_MS =
      TABLE.key(
          "upkeep_unhealthy_interval_ms",
          millis(0),
          Duration.ofSeconds(5),
          "After which a stage that makes no progress is unhealthy",
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
          "How long after start deadlines that passed before it are not acted on",
          c -> c.upkeep().deadlineResetSkip());

  static final Key<BrokerConfig, Duration> MAINTENANCE_TASK_INTERVAL_MS =
      TABLE.key(
          "maintenance_task_interval_ms",
          millis(0),
          Duration.ofSeconds(6),
          "The period of incremental vacuum",
          c -> c.upkeep().vacuum().maintenanceInterval());

  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_START =
      TABLE.key(
          "full_vacuum_on_start",
          bool(),
          true,
          "Whether the database is vacuumed at start",
          c -> c.upkeep().vacuum().fullOnStart());

  static final Key<BrokerConfig, Boolean> FULL_VACUUM_ON_UPKEEP =
      TABLE.key(
          "full_vacuum_on_upkeep",
          bool(),
          true,
          "Whether the database is vacuumed again and again",
          c -> c.upkeep().vacuum().fullOnUpkeep());

  static final Key<BrokerConfig, Duration> VACUUM_INTERVAL_MS =
      TABLE.key(
          "vacuum_interval_ms",
          millis(0),
          Duration.ofSeconds(30),
          "The period of that",
          c -> c.upkeep().vacuum().interval());

  private UpkeepKeys() {}
}
