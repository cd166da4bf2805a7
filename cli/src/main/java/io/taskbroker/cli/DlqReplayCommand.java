package io.taskbroker.cli;

import io.taskbroker.deadletter.Replay;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Replays dead letters, each once. Exit codes as for [DlqCommand].
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Publishes dead letters again to the topics they came from, as new tasks with new ids.",
      "Each is replayed once: a replay that was killed goes on when it is run again."
    })
final class DlqReplayCommand implements Callable<Integer> {
  @ParentCommand private DlqCommand dlq;
  @Spec private CommandSpec spec;
  @Mixin private DlqCommand.Source source;
  @Mixin private DlqCommand.Selection selection;
  @Mixin private ReplayControls controls;

  @Option(
      names = "--to",
      paramLabel = "TOPIC",
      defaultValue = "",
      description = "Topic of the configuration to replay to (default: that of each task).")
  private String topic;

  @Option(
      names = "--keep-attempts",
      description = "Count the attempts so far: without it, each task has all its attempts again.")
  private boolean keepAttempts;

  @Option(
      names = "--at-most-once",
      description = "Also tasks that must run at most once, and may have run.")
  private boolean atMostOnce;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Why; kept with the record of the replay.")
  private String reason;

  @Override
  public Integer call() {
    controls.requireSelection(selection, spec);
    var options = controls.options(spec, topic, keepAttempts, atMostOnce, reason);
    return dlq.configured(
        source,
        config ->
            controls.print(
                Replay.replay(
                    config.kafka(),
                    source.topic(config),
                    selection.filter(),
                    options,
                    report -> controls.progress(report, spec)),
                "replayed",
                source,
                spec));
  }
}
