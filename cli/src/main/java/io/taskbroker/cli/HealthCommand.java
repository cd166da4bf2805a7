package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.config.BrokerConfig;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// Asks the broker of this machine for its health, where there is no curl: in a container. Exit
/// code 0 if it is ready, else 1 with the reason.
@Command(
    name = "health",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Asks the running broker whether it is ready, and what is wrong: GET /health at"
          + " metrics_addr.",
      "Exit code 0 if it is, else 1."
    })
final class HealthCommand implements Callable<Integer> {
  private static final int MAX_BYTES = 64 << 10;
  private static final int TIMEOUT_MILLIS = (int) Duration.ofSeconds(3).toMillis();

  @ParentCommand private Main main;
  @Spec private CommandSpec spec;

  @Option(
      names = {"-c", "--config"},
      paramLabel = "FILE",
      description = "The broker's YAML file; TASKBROKER_* variables override it.")
  private @Nullable Path file;

  @Override
  public Integer call() {
    Optional<Path> given = Optional.ofNullable(file).or(() -> main.options().config());
    Optional<BrokerConfig> config = ServeOptions.check(given, spec.commandLine().getErr());
    if (config.isEmpty()) {
      return 1;
    }
    InetSocketAddress address = config.get().telemetry().metrics().endpoint().address();
    if (address.getPort() == 0) {
      throw new CommandException(
          "metrics_addr has port 0, so the broker does not serve its health");
    }
    return ask(reachable(address));
  }

  private int ask(String hostAndPort) {
    URI page = URI.create("http://" + hostAndPort + "/health");
    try {
      var connection = (HttpURLConnection) page.toURL().openConnection();
      connection.setConnectTimeout(TIMEOUT_MILLIS);
      connection.setReadTimeout(TIMEOUT_MILLIS);
      int status = connection.getResponseCode();
      PrintWriter out = spec.commandLine().getOut();
      try (InputStream answer =
          status == HttpURLConnection.HTTP_OK
              ? connection.getInputStream()
              : connection.getErrorStream()) {
        String text = answer == null ? "" : new String(answer.readNBytes(MAX_BYTES), UTF_8).strip();
        text.lines().forEach(line -> out.println(Table.printable(line)));
        out.flush();
      }
      connection.disconnect();
      if (status != HttpURLConnection.HTTP_OK) {
        throw new CommandException("the broker is not ready: " + page + " answered " + status);
      }
      return 0;
    } catch (IOException e) {
      throw new CommandException("no broker answers at " + page + ": " + e.getMessage(), e);
    }
  }

  /// A broker that listens on every address is asked on the loopback one.
  private static String reachable(InetSocketAddress address) {
    String host = address.getHostString();
    if (host.equals("0.0.0.0") || host.equals("::") || host.equals("[::]")) {
      host = InetAddress.getLoopbackAddress().getHostAddress();
    }
    boolean bare6 = host.contains(":") && !host.startsWith("[");
    return (bare6 ? "[" + host + "]" : host) + ":" + address.getPort();
  }
}
