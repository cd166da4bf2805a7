package io.taskbroker.deadletter;

/// Position of a record in a topic; its text form is `partition:offset`.
public record Position(int partition, long offset) implements Comparable<Position> {

  /// Parses the text form.
  ///
  /// @throws IllegalArgumentException if it is none
  public static Position of(String text) {
    String[] parts = text.split(":", -1);
    try {
      if (parts.length == 2) {
        var position = new Position(Integer.parseInt(parts[0]), Long.parseLong(parts[1]));
        if (position.partition >= 0 && position.offset >= 0) {
          return position;
        }
      }
    } catch (NumberFormatException _) {
      // reported below
    }
    throw new IllegalArgumentException(
        "'" + text + "' is no position of the form partition:offset");
  }

  /// Whether the text has the form of a position.
  public static boolean isPosition(String text) {
    return text.matches("[0-9]{1,9}:[0-9]{1,18}");
  }

  @Override
  public int compareTo(Position other) {
    return partition == other.partition
        ? Long.compare(offset, other.offset)
        : Integer.compare(partition, other.partition);
  }

  @Override
  public String toString() {
    return partition + ":" + offset;
  }
}
