package io.taskbroker.config;

/// Secret value whose text form is always `******`.
public record Secret(String reveal) {
  static final String HIDDEN = "******";

  @Override
  public String toString() {
    return HIDDEN;
  }
}
