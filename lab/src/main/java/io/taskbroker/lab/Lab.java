package io.taskbroker.lab;

import io.taskbroker.cli.CommandErrors;
import io.taskbroker.cli.Version;
import io.taskbroker.lab.demo.DemoCommand;
import io.taskbroker.lab.kafka.KafkaCommand;
import io.taskbroker.lab.smoke.SmokeCommand;
import io.taskbroker.lab.soak.SoakCommand;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Command line of the laboratory. The launcher calls it for its subcommands, and the broker's own
/// command line otherwise.
@Command(
    name = "taskbroker",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Programs that need a checkout: a Kafka server comes with them.",
    subcommands = {DemoCommand.class, SoakCommand.class, KafkaCommand.class, SmokeCommand.class})
public final class Lab {
  private Lab() {}

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  static CommandLine commandLine() {
    return CommandErrors.asOneLine(new CommandLine(new Lab()));
  }
}
