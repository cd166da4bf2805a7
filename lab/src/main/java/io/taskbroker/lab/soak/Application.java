package io.taskbroker.lab.soak;

import java.util.Locale;

/// An application, with its own workers.
enum Application {
  /// Tasks of all kinds, mostly short.
  SHOP,
  /// Slow tasks, and some of all kinds.
  MAIL,
  /// Tasks from raw messages.
  CLICKS;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
