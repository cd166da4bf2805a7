package io.taskbroker.cli;

import io.taskbroker.Broker;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.ConfigException;
import io.taskbroker.store.StoreException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Options of the reference's command line (reference-spec 1.3).
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
      description = "Mode: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Mode mode = Mode.BROKER;

  Optional<Path> config() {
    return Optional.ofNullable(config);
  }

  /// These options where given, else the others.
  ServeOptions orElse(ServeOptions others) {
    var merged = new ServeOptions();
    merged.config = config == null ? others.config : config;
    merged.mode = mode == Mode.BROKER ? others.mode : mode;
    return merged;
  }

  /// Runs until stopped; returns the exit code.
  ///
  /// @param err receives errors, except those of a running broker, which reports them itself
  int run(PrintWriter err) {
    Optional<Path> file = config();
    return switch (mode) {
      case BROKER -> {
        file.ifPresent(ServeOptions::requireReadable);
        yield Broker.run(file, System.getenv());
      }
      case MIGRATIONS -> migrate(file, err);
    };
  }

  private static int migrate(Optional<Path> file, PrintWriter err) {
    Optional<BrokerConfig> config = check(file, err);
    if (config.isEmpty()) {
      return 1;
    }
    try {
      if (!Broker.migrate(config.get())) {
        say(err, "warning: nothing to migrate: the broker migrates a SQLite store at startup");
      }
      return 0;
    } catch (StoreException e) {
      say(err, String.valueOf(e.getMessage()));
      return 1;
    }
  }

  /// Reads a configuration like a start, and prints all errors and warnings.
  ///
  /// @return empty if there are errors
  /// @throws CommandException if the file cannot be read
  static Optional<BrokerConfig> check(Optional<Path> file, PrintWriter err) {
    file.ifPresent(ServeOptions::requireReadable);
    try {
      return Optional.of(
          Broker.check(file, System.getenv(), warning -> say(err, "warning: " + warning)));
    } catch (ConfigException e) {
      e.problems().forEach(problem -> say(err, problem.toString()));
      return Optional.empty();
    }
  }

  private static void say(PrintWriter err, String line) {
    err.println("taskbroker: " + line);
    err.flush();
  }

  private static void requireReadable(Path file) {
    if (!Files.exists(file)) {
      throw new CommandException("configuration file " + file + " does not exist");
    }
    if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
      throw new CommandException("configuration file " + file + " cannot be read");
    }
  }
}
