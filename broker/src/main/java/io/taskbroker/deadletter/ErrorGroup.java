package io.taskbroker.deadletter;

/// Dead letters of one task that failed for the same reason.
///
/// @param error the reason with `#` in place of numbers and ids; empty for dead letters without
///   headers
/// @param open number of them that were neither replayed nor discarded
/// @param first time of the earliest failure, milliseconds since the epoch
/// @param last time of the latest failure, milliseconds since the epoch
/// @param sample one of them
public record ErrorGroup(
    String namespace,
    String taskname,
    String error,
    long count,
    long open,
    long first,
    long last,
    Position sample) {
  private static final int MAX_ERROR = 200;

  /// The reason without what differs from task to task.
  static String normalised(String reason) {
    String line = reason.lines().findFirst().orElse("");
    String general =
        line.replaceAll("[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", "#")
            .replaceAll("[0-9]+", "#");
    return general.substring(0, Math.min(general.length(), MAX_ERROR));
  }

  ErrorGroup with(DeadLetter letter, boolean isOpen) {
    long failed = letter.failedAt();
    return new ErrorGroup(
        namespace,
        taskname,
        error,
        count + 1,
        open + (isOpen ? 1 : 0),
        Math.min(first, failed),
        Math.max(last, failed),
        failed >= last ? letter.position() : sample);
  }
}
