package io.taskbroker.inflight;

import io.taskbroker.inflight.api.Command;

/// Answer to one call with reports, sent when all its effects are durable (G2).
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

  /// Answers, once, that the report cannot be answered; later settlements have no effect.
  void unavailable(String why) {
    if (!failed) {
      failed = true;
      report.unavailable(why);
    }
  }

  /// Whether the answer is due: no effect is pending any more. Called once after the report was
  /// handled, and once for each [#await].
  boolean settle() {
    return --awaited == 0 && !failed;
  }
}
