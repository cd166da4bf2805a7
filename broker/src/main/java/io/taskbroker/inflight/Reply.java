package io.taskbroker.inflight;

/// The answer to one report call, due when all that it led to is durable (G2).
final class Reply {
  final Command.Report report;
  private int awaited = 1;

  Reply(Command.Report report) {
    this.report = report;
  }

  void await() {
    awaited++;
  }

  /// Whether nothing is awaited any more. Called once when the report was followed, and once for
  /// each [#await].
  boolean settle() {
    return --awaited == 0;
  }
}
