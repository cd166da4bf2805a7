package io.taskbroker.cli;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ReferenceReport;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Validates and prints a configuration without starting a broker.
@Command(
    name = "config",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Checks or shows a configuration.")
final class ConfigCommand {
  private static final String FILE_HELP =
      "YAML file; TASKBROKER_* variables of the environment override it.";

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  /// Exit code 0 if a broker would start with this configuration, else 1 with all errors on the
  /// error output; warnings are printed in either case.
  @Command(
      name = "check",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Prints OK, or every error.")
  int check(
      @Option(
              names = {"-c", "--config"},
              paramLabel = "FILE",
              description = FILE_HELP)
          @Nullable Path file,
      @Option(
              names = "--reference",
              paramLabel = "FILE",
              description = {
                "The same, of a configuration written for getsentry/taskbroker: also prints what"
                    + " each",
                "of its keys means here, as tab-separated key,"
                    + " same|different|moved|unused|unknown,",
                "and meaning."
              })
          @Nullable Path reference) {
    if (reference == null) {
      return with(file, _ -> out("OK"));
    }
    if (file != null) {
      throw new ParameterException(spec.commandLine(), "give either --config or --reference");
    }
    return with(reference, _ -> ReferenceReport.of(reference).forEach(this::out));
  }

  private void out(ReferenceReport.Line line) {
    out(line.key() + "\t" + line.fate() + "\t" + line.text());
  }

  /// Exit codes as for `check`.
  @Command(
      name = "show",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Prints the effective configuration as YAML, with secrets hidden.")
  int show(
      @Option(
              names = {"-c", "--config"},
              paramLabel = "FILE",
              description = FILE_HELP)
          @Nullable Path file) {
    return with(file, config -> out(config.effective().stripTrailing()));
  }

  private int with(@Nullable Path given, Consumer<BrokerConfig> use) {
    Optional<Path> file = Optional.ofNullable(given).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(file, spec.commandLine().getErr());
    config.ifPresent(use);
    return config.isPresent() ? 0 : 1;
  }

  private void out(String line) {
    spec.commandLine().getOut().println(line);
    spec.commandLine().getOut().flush();
  }
}
