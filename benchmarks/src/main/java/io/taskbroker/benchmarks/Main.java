package io.taskbroker.benchmarks;

import java.io.IOException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// The command line of the benchmarks.
@Command(
    name = "benchmarks/run",
    mixinStandardHelpOptions = true,
    description = "Measures the broker.",
    subcommands = {EndToEndCommand.class, EngineScale.class})
final class Main {
  private Main() {}

  /// Lets libraries log errors only, to the error output. To be called before anything logs.
  static void quiet() {
    System.setProperty("logback.configurationFile", "logback-benchmarks.xml");
  }

  public static void main(String[] args) {
    quiet();
    System.exit(
        new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).execute(args));
  }

  /// JMH, with its own options: `-l` lists, `-h` helps.
  @Command(name = "jmh", description = "The benchmarks of single classes.")
  int jmh(@Parameters(arity = "0..*") String[] args) throws IOException {
    org.openjdk.jmh.Main.main(args == null ? new String[0] : args);
    return 0;
  }
}
