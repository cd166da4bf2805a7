package io.taskbroker.benchmarks;

import java.util.Locale;

/// Markdown table with formatted figures. Not thread-safe.
final class Table {
  private final StringBuilder text = new StringBuilder();

  Table(String... heads) {
    row(heads);
    text.append("|---".repeat(heads.length)).append("|\n");
  }

  void row(String... cells) {
    text.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  @Override
  public String toString() {
    return text.toString().stripTrailing();
  }

  /// Formats a figure with its meaningful digits; empty for NaN, an unknown value.
  static String show(double value) {
    if (Double.isNaN(value)) {
      return "";
    }
    return value == Math.rint(value) || value >= 100
        ? String.format(Locale.ROOT, "%,d", Math.round(value))
        : String.format(Locale.ROOT, value >= 10 ? "%.1f" : value >= 1 ? "%.2f" : "%.4f", value);
  }
}
