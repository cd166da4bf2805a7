package io.taskbroker.config;

/// A value that is shown to nobody: its text form is always `******`.
public record Secret(String reveal) {
  static final String HIDDEN = "******";

  @Override
  public String toString() {
    return HIDDEN;
  }
}
