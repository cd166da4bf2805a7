package io.taskbroker.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// Table with aligned columns for a terminal. Control characters appear as `?`: names and reasons
/// are external input and must not control a terminal. One thread.
final class TextTable {
  private static final int MAX_WIDTH = 60;

  private final List<List<String>> rows = new ArrayList<>();

  TextTable(String... titles) {
    rows.add(List.of(titles));
  }

  void add(Object... cells) {
    var row = new ArrayList<String>();
    for (Object cell : cells) {
      String text = Table.printable(cell.toString());
      row.add(text.isEmpty() ? "-" : text);
    }
    rows.add(row);
  }

  /// Prints the table; nothing if it has no rows. The last column is never cut.
  void print(PrintWriter out) {
    if (rows.size() == 1) {
      return;
    }
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], Math.min(row.get(i).length(), MAX_WIDTH));
      }
    }
    for (List<String> row : rows) {
      var line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String cell = row.get(i);
        if (i == columns - 1) {
          line.append(cell);
        } else {
          line.append(cell.length() > MAX_WIDTH ? cell.substring(0, MAX_WIDTH - 1) + "…" : cell)
              .repeat(' ', Math.max(0, widths[i] - cell.length()))
              .append("  ");
        }
      }
      out.println(line);
    }
    out.flush();
  }
}
