package io.taskbroker.cli;

import io.taskbroker.deadletter.DeadLetterJson;
import io.taskbroker.deadletter.ReplayOptions;
import io.taskbroker.deadletter.ReplayReport;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// Options and output that the commands for replaying and discarding share. One thread.
final class ReplayControls {
  private static final long PROGRESS_NANOS = 2_000_000_000L;

  @Option(names = "--dry-run", description = "Only counts what would be done.")
  private boolean dryRun;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "100",
      description = "Dead letters per second at most (default: ${DEFAULT-VALUE}).")
  private double rate;

  @Option(names = "--limit", paramLabel = "N", description = "Stop after this many.")
  private long limit = Long.MAX_VALUE;

  @Option(
      names = "--copies",
      description = "Also those that are copies of one failure: they share its id and origin.")
  private boolean copies;

  @Option(names = "--all", description = "All dead letters, without another selection.")
  private boolean all;

  private long printedAt = System.nanoTime();

  void requireSelection(DlqCommand.Selection selection, CommandSpec spec) {
    if (selection.isEmpty() && !all) {
      throw new ParameterException(
          spec.commandLine(),
          "no dead letters selected: give ids, a condition such as --task, or --all");
    }
  }

  ReplayOptions options(
      CommandSpec spec, String topic, boolean keepAttempts, boolean atMostOnce, String reason) {
    try {
      return new ReplayOptions(
          topic,
          rate,
          limit,
          dryRun,
          keepAttempts,
          atMostOnce,
          copies,
          reason,
          Duration.ofMinutes(2));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  /// Prints a line of progress every two seconds.
  void progress(ReplayReport report, CommandSpec spec) {
    long now = System.nanoTime();
    if (now - printedAt >= PROGRESS_NANOS) {
      printedAt = now;
      PrintWriter err = spec.commandLine().getErr();
      err.printf(
          "taskbroker: %,d done, %,d of %,d records read%n",
          report.done(), report.scanned(), report.size());
      err.flush();
    }
  }

  /// Prints the report; returns the exit code.
  int print(ReplayReport report, String done, DlqCommand.Source source, CommandSpec spec) {
    return print(report, dryRun, done, source, spec);
  }

  static int print(
      ReplayReport report,
      boolean dryRun,
      String done,
      DlqCommand.Source source,
      CommandSpec spec) {
    PrintWriter out = spec.commandLine().getOut();
    if (source.isJson()) {
      out.println(DeadLetterJson.of(report, dryRun));
    } else {
      out.printf(
          "%s%s %,d of %,d selected%s%n",
          dryRun ? "would be " : "",
          done,
          report.done(),
          report.selected(),
          report.complete() ? "" : "; stopped at the limit, there may be more");
      new TreeMap<>(report.byTopic())
          .forEach((topic, count) -> out.printf("  %,d to topic %s%n", count, topic));
      report
          .skipped()
          .forEach((reason, count) -> out.printf("  %,d skipped: %s%n", count, reason.text()));
    }
    out.flush();
    return report.unfinished() == 0 ? 0 : DlqCommand.UNFINISHED;
  }
}
