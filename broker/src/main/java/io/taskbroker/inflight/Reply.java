package io.taskbroker.inflight;

/// The answer to one report call, due when all that it led to is durable (G2).
final class Reply {
  final Command.Report report;
  private int awaited = 1;
  private boolean failed;

  Reply(Command.Report report) {
    this.report = report;
  }

  void await() {
    awaited++;
  }

  /// Says, once, that it cannot be answered. What is awaited of it changes nothing after that.
  void unavailable(String why) {
    if (!failed) {
      failed = true;
      report.unavailable(why);
    }
  }

  /// Whether nothing is awaited any more. Called once when the report was followed, and once for
  /// each [#await].
  boolean settle() {
    return --awaited == 0 && !failed;
  }
}
