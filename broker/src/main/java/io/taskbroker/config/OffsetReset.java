package io.taskbroker.config;

/// Start position of a consumer group without committed offsets.
public enum OffsetReset {
  EARLIEST,
  LATEST
}
