package io.taskbroker.cli;

import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/// Error handlers of a command line: one output line per error. Exit codes: 2 for arguments that do
/// not parse, 1 for a command that failed.
public final class CommandErrors {
  private CommandErrors() {}

  /// Installs the handlers on a command line and all its subcommands; returns it.
  public static CommandLine asOneLine(CommandLine commandLine) {
    return commandLine
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(CommandErrors::misused)
        .setExecutionExceptionHandler((e, command, _) -> failed(e, command));
  }

  private static int misused(ParameterException e, String[] args) {
    CommandLine command = e.getCommandLine();
    print(command, e, " (see " + command.getCommandSpec().qualifiedName() + " --help)");
    return CommandLine.ExitCode.USAGE;
  }

  private static int failed(Exception e, CommandLine command) {
    print(command, e, "");
    if (!(e instanceof CommandException)) {
      e.printStackTrace(command.getErr());
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  private static void print(CommandLine command, Exception e, String hint) {
    String message = e.getMessage() == null ? e.toString() : e.getMessage();
    PrintWriter err = command.getErr();
    err.println("taskbroker: " + message.lines().findFirst().orElse("") + hint);
    err.flush();
  }
}
