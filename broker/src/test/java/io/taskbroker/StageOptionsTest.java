package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigLoader;
import io.taskbroker.store.sqlite.SqliteOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Mapping of configuration keys to options of the stages.
final class StageOptionsTest {
  @ParameterizedTest
  @CsvSource({"0, 10", "5000, 10", "10001, 10.001", "60000, 60"})
  void aStageThatStandsStillIsUnhealthyAfterTenSecondsAtLeast(String millis, double seconds) {
    BrokerConfig config = config("UPKEEP_UNHEALTHY_INTERVAL_MS", millis);

    assertThat(StageOptions.patience(config)).isEqualTo(Duration.ofMillis((long) (seconds * 1000)));
  }

  @ParameterizedTest
  @CsvSource({"0, 1000", "999, 1000", "6000, 6000"})
  void maintenancePeriodIsClamped(String millis, long expected) {
    BrokerConfig config = config("MAINTENANCE_TASK_INTERVAL_MS", millis);

    assertThat(StageOptions.commits(config).maintenanceInterval()).hasMillis(expected);
  }

  @ParameterizedTest
  @CsvSource({"0, 4000", "1, 1", "3999, 3999", "50000, 4000"})
  void vacuumPagesAreClamped(String written, int pages) {
    BrokerConfig config = config("STORE__SQLITE__VACUUM_PAGE_COUNT", written);

    assertThat(StageOptions.sqlite(config).vacuumPages()).isEqualTo(pages);
  }

  @Test
  void storeOptionsFollowTheConfiguration() {
    assertThat(StageOptions.sqlite(ConfigLoader.load(Optional.empty(), Map.of())))
        .isEqualTo(
            new SqliteOptions(
                Path.of("./taskbroker-inflight.sqlite"), 3_000_000_000L, true, 4_000));
    assertThat(StageOptions.sqlite(config("FULL_VACUUM_ON_START", "false")).vacuumAtStart())
        .isFalse();
  }

  @Test
  void reportsAreBatchedOnlyIfConfigured() {
    assertThat(StageOptions.commits(config("STATUS_UPDATE_INTERVAL_MS", "70")).interval())
        .hasMillis(2);
    assertThat(
            StageOptions.commits(
                ConfigLoader.load(
                    Optional.empty(),
                    Map.of(
                        "TASKBROKER_BATCH_STATUS_UPDATES", "true",
                        "TASKBROKER_STATUS_UPDATE_BATCH_SIZE", "9",
                        "TASKBROKER_STATUS_UPDATE_INTERVAL_MS", "70"))))
        .satisfies(options -> assertThat(options.interval()).hasMillis(70))
        .satisfies(options -> assertThat(options.batchSize()).isEqualTo(9));
  }

  private static BrokerConfig config(String key, String value) {
    return ConfigLoader.load(Optional.empty(), Map.of("TASKBROKER_" + key, value));
  }
}
