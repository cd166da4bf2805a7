package io.taskbroker.lab.rig;

import java.util.Locale;

/// Who begins a delivery: the broker, or its workers.
public enum Mode {
  PUSH,
  PULL;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
