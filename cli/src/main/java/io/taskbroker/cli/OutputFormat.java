package io.taskbroker.cli;

import java.util.Locale;

/// Output of a command: a table for people, or JSON for scripts.
enum OutputFormat {
  TABLE,
  JSON;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
