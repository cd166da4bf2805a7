package io.taskbroker.config;

/// Who calls whom: workers the broker, or the broker workers.
public enum DeliveryMode {
  PULL,
  PUSH
}
