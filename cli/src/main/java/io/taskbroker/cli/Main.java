package io.taskbroker.cli;

import io.taskbroker.config.PlatformEncoding;
import io.taskbroker.telemetry.Logging;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// Command line of the broker: parses the arguments and runs the command, by default `serve`, as in
/// the reference (reference-spec 1.3).
@Command(
    name = "taskbroker",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Delivers tasks from clients and Kafka topics to workers until they end.",
    footer = {"", "The default command is serve: taskbroker -c FILE", "To try it: taskbroker dev"},
    subcommands = {
      ServeCommand.class,
      DevCommand.class,
      EnqueueCommand.class,
      WorkerCommand.class,
      ConfigCommand.class,
      ScheduleCommand.class,
      QuarantineCommand.class,
      DlqCommand.class,
      AuditCommand.class,
      ShadowCommand.class,
      HealthCommand.class,
      OperateCommands.Status.class,
      OperateCommands.Top.class,
      OperateCommands.Tasks.class,
      OperateCommands.Task.class,
      FinishedCommand.class,
      OperateCommands.Explain.class,
      OperateCommands.Workers.class,
      OperateCommands.Partitions.class,
      FleetCommands.Brokers.class,
      FleetCommands.Backlog.class,
      FleetCommands.Acts.class,
      RulesCommand.class,
      OperateCommands.Pause.class,
      OperateCommands.Resume.class,
      OperateCommands.Drain.class,
      OperateCommands.Act.class,
      CompletionCommand.class,
      ManCommand.class
    })
public final class Main implements Callable<Integer> {
  @Mixin private ServeOptions options;
  @Spec private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    // Commands print what they have to say; the broker configures its own log.
    Logging.configure(
        "error,org.apache.kafka=error,io.grpc=error,io.netty=error", Logging.Format.TEXT);
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return CommandErrors.asOneLine(
        new CommandLine(new Main()).registerConverter(Path.class, Main::path));
  }

  ServeOptions options() {
    return options;
  }

  @Override
  public Integer call() {
    return options.run(spec.commandLine().getErr());
  }

  private static Path path(String argument) {
    PlatformEncoding.flaw(argument)
        .ifPresent(flaw -> {
          throw new TypeConversionException("'" + argument + "' " + flaw);
        });
    return Path.of(argument);
  }
}
