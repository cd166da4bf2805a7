package io.taskbroker.config;

/// Where a consumer group begins that has committed nothing.
public enum OffsetReset {
  EARLIEST,
  LATEST
}
