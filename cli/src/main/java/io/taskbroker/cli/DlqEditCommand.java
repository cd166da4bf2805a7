package io.taskbroker.cli;

import io.taskbroker.deadletter.Position;
import io.taskbroker.deadletter.Replay;
import io.taskbroker.deadletter.ReplayOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Replays one dead letter with other arguments. Exit codes as for [DlqCommand].
@Command(
    name = "edit",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Replays one dead letter with other arguments; 'show' prints the present ones.")
final class DlqEditCommand implements Callable<Integer> {
  private static final long MAX_FILE_BYTES = 16 << 20;

  @ParentCommand private DlqCommand dlq;
  @Spec private CommandSpec spec;
  @Mixin private DlqCommand.Source source;

  @Parameters(paramLabel = "POSITION", description = "Position: partition:offset.")
  private String position;

  @ArgGroup(multiplicity = "1")
  private Arguments arguments = new Arguments();

  @Option(
      names = "--to",
      paramLabel = "TOPIC",
      defaultValue = "",
      description = "Topic of the configuration to replay to (default: that of the task).")
  private String topic;

  @Option(
      names = "--at-most-once",
      description = "Also if the task must run at most once, and may have run.")
  private boolean atMostOnce;

  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Why; kept with the record of the replay.")
  private String reason;

  @Option(names = "--dry-run", description = "Only checks whether it can be done.")
  private boolean dryRun;

  /// The new arguments.
  static final class Arguments {
    @Option(
        names = "--arguments",
        paramLabel = "JSON",
        description = "New arguments: {\"args\": [], \"kwargs\": {}}.")
    private String text = "";

    @Option(names = "--arguments-file", paramLabel = "FILE", description = "The same in a file.")
    private Path file = Path.of("");
  }

  @Override
  public Integer call() {
    Position which = position();
    String json = arguments.text.isEmpty() ? read(arguments.file) : arguments.text;
    var options =
        new ReplayOptions(
            topic,
            100,
            Long.MAX_VALUE,
            dryRun,
            false,
            atMostOnce,
            false,
            reason,
            Duration.ofMinutes(2));
    return dlq.configured(
        source,
        config -> {
          try {
            var report =
                Replay.edited(config.kafka(), source.topic(config), which, json, options, _ -> {});
            if (report.selected() == 0) {
              throw new CommandException("no dead letter at '" + which + "' in the topic");
            }
            return ReplayControls.print(report, dryRun, "replayed", source, spec);
          } catch (IllegalArgumentException e) {
            throw new CommandException(String.valueOf(e.getMessage()), e);
          }
        });
  }

  private Position position() {
    try {
      return Position.of(position);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }
  }

  private static String read(Path file) {
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        throw new CommandException(file + " has more than " + MAX_FILE_BYTES + " bytes");
      }
      return Files.readString(file);
    } catch (IOException e) {
      throw new CommandException("cannot read " + file + ": " + e, e);
    }
  }
}
