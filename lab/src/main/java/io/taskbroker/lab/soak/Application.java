package io.taskbroker.lab.soak;

import java.util.Locale;

/// An application, which has workers of its own.
enum Application {
  /// Tasks of all kinds, most of them short.
  SHOP,
  /// Slow tasks, and some of all kinds.
  MAIL,
  /// What was no activation when it was published.
  CLICKS;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
