package io.taskbroker.cli;

import io.taskbroker.Broker;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Runs a broker for development: a SQLite store in a folder, the loopback interface, no Kafka
/// unless asked for.
@Command(
    name = "dev",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs a broker on this machine that needs nothing else.")
final class DevCommand implements Callable<Integer> {
  private static final String PORT = "TASKBROKER_GRPC_PORT";
  private static final String ADMIN = "TASKBROKER_ADMIN__ADDR";
  private static final String STORE = "TASKBROKER_STORE__SQLITE__PATH";

  @Option(
      names = "--data",
      paramLabel = "FOLDER",
      defaultValue = "taskbroker-dev",
      description = "Folder of the store, created if missing (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("taskbroker-dev");

  @Option(
      names = "--port",
      defaultValue = BrokerAddress.DEFAULT_PORT,
      description = "Port of the gRPC server (default: ${DEFAULT-VALUE}).")
  private int port;

  @Option(
      names = "--admin-port",
      defaultValue = "9470",
      description =
          "Port of the admin API and the web page, 0 for any (default: ${DEFAULT-VALUE}).")
  private int adminPort;

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "Also consumes the topic taskworker of this Kafka.")
  private @Nullable String kafka;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    if (port < 1 || port > 65_535) {
      throw new CommandException("--port " + port + " is not between 1 and 65535");
    }
    if (adminPort < 0 || adminPort > 65_535) {
      throw new CommandException("--admin-port " + adminPort + " is not between 0 and 65535");
    }
    try {
      Files.createDirectories(data);
    } catch (IOException e) {
      throw new CommandException("cannot create the folder " + data + ": " + e.getMessage(), e);
    }
    PrintWriter out = spec.commandLine().getOut();
    Map<String, String> settings = environment(System.getenv());
    out.print(welcome(settings));
    out.flush();
    return Broker.run(Optional.empty(), settings);
  }

  /// Settings of the broker; those of the given environment win.
  private Map<String, String> environment(Map<String, String> given) {
    Map<String, String> settings = new HashMap<>();
    settings.put("TASKBROKER_GRPC_ADDR", "127.0.0.1");
    settings.put(PORT, Integer.toString(port));
    settings.put(ADMIN, "127.0.0.1:" + adminPort);
    settings.put(STORE, quoted(store().toString()));
    if (kafka == null) {
      settings.put("TASKBROKER_KAFKA_ENABLED", "false");
    } else {
      settings.put("TASKBROKER_KAFKA_CLUSTER", quoted(kafka));
      settings.put("TASKBROKER_CREATE_MISSING_TOPICS", "true");
    }
    settings.putAll(given);
    return settings;
  }

  private Path store() {
    return data.toAbsolutePath().resolve("tasks.sqlite");
  }

  /// Double-quoted text for an environment variable: a list, a number or an escape in it stays
  /// text.
  static String quoted(String text) {
    return "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
  }

  private String welcome(Map<String, String> settings) {
    String used = settings.getOrDefault(PORT, BrokerAddress.DEFAULT_PORT);
    String at = used.equals(BrokerAddress.DEFAULT_PORT) ? "" : " --broker :" + used;
    return """
    A broker for development: gRPC at 127.0.0.1:%s, tasks in %s, %s. Stop it with Ctrl-C.

    In a second terminal, run a program for each task (it gets the arguments as JSON on its input):
      ./taskbroker worker%s --exec 'cat; echo'

    In a third one, enqueue a task and wait for it:
      ./taskbroker enqueue hello --arg name=World --wait%s

    See what is in flight, why it waits, and what failed:
      %s

    Any language can do both: docs/protocol.md

    """
        .formatted(
            used,
            System.getenv().getOrDefault(STORE, store().toString()),
            kafka == null ? "no Kafka" : "Kafka at " + kafka,
            at,
            at,
            page(settings));
  }

  private static String page(Map<String, String> settings) {
    String address = settings.getOrDefault(ADMIN, "");
    return address.endsWith(":0")
        ? "the web page, whose address the log tells"
        : "http://" + address + "/ui/";
  }
}
