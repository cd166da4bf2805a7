package io.taskbroker.config;

/// Delivery mode: workers fetch tasks from the broker (pull), or the broker calls workers (push).
public enum DeliveryMode {
  PULL,
  PUSH
}
