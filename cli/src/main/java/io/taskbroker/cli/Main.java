package io.taskbroker.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/// The command line of the broker: parses the arguments and runs the chosen command.
@Command(
    name = "taskbroker",
    mixinStandardHelpOptions = true,
    version = "taskbroker 0.1.0",
    description = "Hands tasks from Kafka topics to workers, and keeps track of them.")
public final class Main implements Runnable {
  @Spec private CommandSpec spec;

  public static void main(String[] args) {
    System.exit(new CommandLine(new Main()).execute(args));
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }
}
