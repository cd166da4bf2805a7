package io.taskbroker.cli;

import io.taskbroker.cli.demo.DemoCommand;
import io.taskbroker.cli.soak.SoakCommand;
import io.taskbroker.config.PlatformEncoding;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/// The command line of the broker: parses the arguments and runs the chosen command, which is
/// `serve` if none is named, as in the reference (reference-spec 1.3).
@Command(
    name = "taskbroker",
    mixinStandardHelpOptions = true,
    version = Main.VERSION,
    description = "Hands tasks from Kafka topics to workers, and keeps track of them.",
    footer = {
      "",
      "Without a command it serves: taskbroker -c FILE",
      "Try it without anything installed: taskbroker demo"
    },
    subcommands = {ServeCommand.class, ConfigCommand.class, DemoCommand.class, SoakCommand.class})
public final class Main implements Callable<Integer> {
  static final String VERSION = "taskbroker 0.1.0";

  @Mixin private ServeOptions options;
  @Spec private CommandSpec spec;

  private Main() {}

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /// Errors are one line on the error output. Exit codes: 2 for arguments that make no sense, 1 for
  /// a command that failed.
  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .registerConverter(Path.class, Main::path)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Main::misused)
        .setExecutionExceptionHandler((e, command, _) -> failed(e, command));
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

  private static int misused(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    say(command, e, " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command) {
    say(command, e, "");
    if (!(e instanceof CommandException)) {
      e.printStackTrace(command.getErr());
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static void say(CommandLine command, Exception e, String hint) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    PrintWriter err = command.getErr();
    err.println("taskbroker: " + message.lines().findFirst().orElse("") + hint);
    err.flush();
  }
}
