package io.taskbroker.cli;

import io.taskbroker.deadletter.Replay;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Marks dead letters as discarded. Exit codes as for [DlqCommand].
@Command(
    name = "discard",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Marks dead letters as discarded, so that no replay takes them.",
      "Kafka keeps their records until its retention removes them."
    })
final class DlqDiscardCommand implements Callable<Integer> {
  @ParentCommand private DlqCommand dlq;
  @Spec private CommandSpec spec;
  @Mixin private DlqCommand.Source source;
  @Mixin private DlqCommand.Selection selection;
  @Mixin private ReplayControls controls;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      required = true,
      description = "Why; kept with the mark.")
  private String reason;

  @Override
  public Integer call() {
    controls.requireSelection(selection, spec);
    var options = controls.options(spec, "", false, false, reason);
    return dlq.configured(
        source,
        config ->
            controls.print(
                Replay.discard(
                    config.kafka(),
                    source.topic(config),
                    selection.filter(),
                    options,
                    report -> controls.progress(report, spec)),
                "discarded",
                source,
                spec));
  }
}
