package io.taskbroker.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// Table with aligned columns for a terminal. Control characters appear as `?`: names and reasons
/// are external input and must not control a terminal. Nothing is cut, since ids are copied from
/// it: a cell beyond the widest column only shifts the rest of its row. Not thread-safe.
final class Table {
  private static final int WIDEST = 60;

  private final List<String[]> rows = new ArrayList<>();

  Table(String... titles) {
    rows.add(titles);
  }

  /// Adds a row; what is empty or absent appears as `-`.
  void add(Object... cells) {
    String[] row = new String[cells.length];
    for (int i = 0; i < cells.length; i++) {
      row[i] = text(cells[i]);
    }
    rows.add(row);
  }

  private static String text(Object cell) {
    String text =
        switch (cell) {
          case JsonNode node when node.isMissingNode() || node.isNull() -> "-";
          case JsonNode node when node.isFloatingPointNumber() -> "%.1f".formatted(node.asDouble());
          case JsonNode node -> node.asString();
          default -> cell.toString();
        };
    return text.isEmpty() ? "-" : printable(text);
  }

  /// The text with control characters replaced.
  static String printable(String text) {
    return text.replaceAll("\\p{Cc}", "?"); // those of ISO 6429 beyond ASCII, too
  }

  /// Prints the table; nothing if it has no rows.
  void print(PrintWriter out) {
    if (rows.size() == 1) {
      return;
    }
    int[] widths = new int[rows.getFirst().length];
    for (String[] row : rows) {
      for (int i = 0; i < row.length; i++) {
        widths[i] = Math.max(widths[i], Math.min(row[i].length(), WIDEST));
      }
    }
    for (String[] row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < row.length; i++) {
        line.append(row[i]);
        if (i < row.length - 1) {
          line.repeat(' ', Math.max(0, widths[i] - row[i].length()) + 2);
        }
      }
      out.println(line.toString().stripTrailing());
    }
    out.flush();
  }
}
