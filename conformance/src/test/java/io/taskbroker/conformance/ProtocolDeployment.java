package io.taskbroker.conformance;

import io.taskbroker.testkit.BrokerLaunch;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// One broker without Kafka, and processes that speak `taskbroker.v1` with it. Not thread-safe.
final class ProtocolDeployment implements AutoCloseable {
  /// Worker pool of all tasks.
  static final String APPLICATION = "proof";

  private static final Duration START = Duration.ofSeconds(60);
  private static final Duration STOP = Duration.ofSeconds(30);
  private static final Path PROTOCOL = Path.of("..", "proto", "src", "main", "protobuf");

  private final Path dir;
  private final int port = Ports.free();
  private final Map<String, String> environment = new HashMap<>();
  private final List<PythonProcess> clients = new ArrayList<>();
  private BrokerProcess broker;

  /// Starts the broker, and waits until it serves.
  ///
  /// @param secret of all calls; null for none
  ProtocolDeployment(String name, @Nullable String secret)
      throws IOException, InterruptedException {
    dir = Folders.make(name);
    environment.put(
        "PYTHONPATH", PythonEnvironment.sources() + ":" + PROTOCOL.toAbsolutePath().normalize());
    environment.put("CONFORMANCE_BROKER", "127.0.0.1:" + port);
    environment.put("CONFORMANCE_JOURNAL", journal().file().toString());
    environment.put("CONFORMANCE_APPLICATION", APPLICATION);
    if (secret != null) {
      environment.put("CONFORMANCE_SECRET", secret);
    }
    Path config =
        Files.writeString(
            dir.resolve("config.yaml"),
            """
            kafka_enabled: false
            grpc_addr: 127.0.0.1
            grpc_port: %d
            grpc_shared_secret: [%s]
            store: {sqlite: {path: "%s"}}
            """
                .formatted(port, secret == null ? "" : secret, dir.resolve("store.sqlite")));
    broker =
        BrokerProcess.start(
                BrokerLaunch.ofThisClassPath(config, port, dir.resolve("broker.log"))
                    .withJvmOptions("-XX:TieredStopAtLevel=1"))
            .awaitServing(START);
  }

  /// Starts a worker.
  ///
  /// @param slots tasks that it holds
  /// @param concurrency tasks that it runs at a time
  PythonProcess startWorker(String name, int slots, int concurrency) throws InterruptedException {
    Map<String, String> own = new HashMap<>(environment);
    own.put("CONFORMANCE_WORKER", name);
    own.put("CONFORMANCE_SLOTS", Integer.toString(slots));
    own.put("CONFORMANCE_CONCURRENCY", Integer.toString(concurrency));
    PythonProcess worker = PythonProcess.start(PythonEnvironment.PROTOCOL, "direct.work", own, dir);
    clients.add(worker);
    return worker;
  }

  Enqueuer startEnqueuer() throws InterruptedException {
    PythonProcess enqueuer =
        PythonProcess.startTalking(PythonEnvironment.PROTOCOL, "direct.enqueue", environment, dir);
    clients.add(enqueuer);
    return new Enqueuer(enqueuer);
  }

  /// Has clients that are started from now on sign with another secret.
  void withClientSecret(String secret) {
    environment.put("CONFORMANCE_SECRET", secret);
  }

  Journal journal() {
    return new Journal(dir.resolve("journal.jsonl"));
  }

  /// SIGKILL to the broker, and another one with the same store.
  void killAndRestartBroker() throws InterruptedException {
    broker = broker.restart().awaitServing(START);
  }

  /// Rows of the broker's store.
  int tasksInFlight() throws SQLException {
    return Deployment.rows(dir.resolve("store.sqlite"));
  }

  /// SIGTERM to the broker; returns its exit code.
  int stopBroker() throws InterruptedException {
    return broker.stop(STOP);
  }

  @Override
  public void close() {
    clients.forEach(PythonProcess::close);
    broker.close();
  }
}
