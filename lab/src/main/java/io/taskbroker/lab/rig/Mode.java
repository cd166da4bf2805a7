package io.taskbroker.lab.rig;

import java.util.Locale;

/// Delivery mode: push by the broker, or pull by the workers.
public enum Mode {
  PUSH,
  PULL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
