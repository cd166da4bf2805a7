package io.taskbroker.config;

import java.time.Duration;

/// Batching of worker reports.
public record StatusUpdateConfig(boolean batched, int batchSize, Duration interval) {
  static StatusUpdateConfig read(Values values) {
    return new StatusUpdateConfig(
        values.get(ReportKeys.BATCH_STATUS_UPDATES),
        values.get(ReportKeys.STATUS_UPDATE_BATCH_SIZE),
        values.get(ReportKeys.STATUS_UPDATE_INTERVAL_MS));
  }
}
