package io.taskbroker.cli;

import io.taskbroker.Broker;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options of the reference's command line, and what they ask for (reference-spec 1.3).
final class ServeOptions {
  enum Mode {
    BROKER,
    MIGRATIONS;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "YAML file; TASKBROKER_* variables of the environment override it.")
  private @Nullable Path config;

  @Option(
      names = {"-r", "--run"},
      paramLabel = "MODE",
      defaultValue = "broker",
      description = "What to run: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Mode mode = Mode.BROKER;

  Optional<Path> config() {
    return Optional.ofNullable(config);
  }

  /// These options where they are given, else the others.
  ServeOptions orElse(ServeOptions others) {
    var merged = new ServeOptions();
    merged.config = config == null ? others.config : config;
    merged.mode = mode == Mode.BROKER ? others.mode : mode;
    return merged;
  }

  /// Runs until stopped; returns the exit code.
  int run() {
    Optional<Path> file = config();
    file.ifPresent(ServeOptions::requireReadable);
    return switch (mode) {
      case BROKER -> Broker.run(file, System.getenv());
      case MIGRATIONS -> {
        System.err.println(
            "taskbroker: nothing to migrate: an SQLite store is migrated when the broker starts");
        yield 0;
      }
    };
  }

  /// @throws CommandException if there is no such file that can be read
  static void requireReadable(Path file) {
    if (!Files.exists(file)) {
      throw new CommandException("configuration file " + file + " does not exist");
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new CommandException("configuration file " + file + " cannot be read");
    }
  }
}
