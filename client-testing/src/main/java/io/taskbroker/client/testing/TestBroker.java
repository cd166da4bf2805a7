package io.taskbroker.client.testing;

import io.taskbroker.EmbeddedBroker;
import io.taskbroker.client.TaskClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/// The real broker in this process: its engine, a SQLite store in a temporary folder, and its gRPC
/// server on a free port of the loopback interface; no Kafka. It starts in about a second. Needs
/// `taskbroker-broker` on the class path, and Java 25.
///
/// Owned by one thread.
public final class TestBroker implements AutoCloseable {
  private final Path folder;
  private final Map<String, String> settings;
  private EmbeddedBroker broker;

  private TestBroker(Path folder, Map<String, String> settings) {
    this.folder = folder;
    this.settings = settings;
    this.broker = EmbeddedBroker.start(settings);
  }

  public static TestBroker start() {
    return start(Map.of());
  }

  /// @param more settings of the broker in the form of environment variables, which win
  public static TestBroker start(Map<String, String> more) {
    Path folder;
    try {
      folder = Files.createTempDirectory("taskbroker-test");
    } catch (IOException e) {
      throw new UncheckedIOException("Could not create a folder for the broker", e);
    }
    Map<String, String> settings = new HashMap<>();
    settings.put("TASKBROKER_KAFKA_ENABLED", "false");
    settings.put("TASKBROKER_GRPC_ADDR", "127.0.0.1");
    settings.put("TASKBROKER_GRPC_PORT", Integer.toString(freePort()));
    settings.put("TASKBROKER_METRICS_ADDR", "127.0.0.1:0");
    settings.put("TASKBROKER_STORE__SQLITE__PATH", folder.resolve("tasks.sqlite").toString());
    settings.putAll(more);
    return new TestBroker(folder, settings);
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not find a free port", e);
    }
  }

  /// `host:port`, for [TaskClient#connect].
  public String address() {
    return broker.address();
  }

  /// A new client, which the caller closes.
  public TaskClient connect() {
    return TaskClient.connect(address());
  }

  /// Stops it and starts it again on the same port and store, as an upgrade would.
  public void restart() {
    broker.close();
    broker = EmbeddedBroker.start(settings);
  }

  /// Stops it and deletes its store.
  @Override
  public void close() {
    broker.close();
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not delete " + folder, e);
    }
  }
}
