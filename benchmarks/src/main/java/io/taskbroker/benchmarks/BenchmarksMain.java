package io.taskbroker.benchmarks;

import java.io.IOException;
import java.util.Arrays;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Command line of the benchmarks.
@Command(
    name = "benchmarks/run",
    mixinStandardHelpOptions = true,
    description = "Measures the broker.",
    footer = {"", "jmh OPTIONS: the classes one by one, with the options of JMH; -h tells them"},
    subcommands = {
      EndToEndCommand.class,
      HistoryCommand.class,
      EngineScale.class,
      RestartCommand.class,
      DirectCommand.class,
      ReportCommand.class
    })
final class BenchmarksMain {
  private BenchmarksMain() {}

  /// Limits library logs to errors, on the error output. Must be called before anything logs.
  static void quiet() {
    System.setProperty("logback.configurationFile", "logback-benchmarks.xml");
  }

  public static void main(String[] args) throws IOException {
    quiet();
    if (args.length > 0 && args[0].equals("jmh")) {
      org.openjdk.jmh.Main.main(Arrays.copyOfRange(args, 1, args.length));
      return;
    }
    System.exit(
        new CommandLine(new BenchmarksMain())
            .setCaseInsensitiveEnumValuesAllowed(true)
            .execute(args));
  }
}
