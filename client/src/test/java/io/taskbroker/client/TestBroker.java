package io.taskbroker.client;

import io.taskbroker.EmbeddedBroker;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// A real broker in this process, without Kafka, that can be stopped and started again on the same
/// port and store.
final class TestBroker implements AutoCloseable {
  private final Map<String, String> settings;
  private EmbeddedBroker broker;

  private TestBroker(Map<String, String> settings) {
    this.settings = settings;
    this.broker = EmbeddedBroker.start(settings);
  }

  /// @param more settings beside the necessary ones
  static TestBroker start(Path dir, Map<String, String> more) {
    var settings = new HashMap<String, String>();
    settings.put("TASKBROKER_KAFKA_ENABLED", "false");
    settings.put("TASKBROKER_DELIVERY_MODE", "pull");
    settings.put("TASKBROKER_GRPC_ADDR", "127.0.0.1");
    settings.put("TASKBROKER_GRPC_PORT", Integer.toString(Ports.free()));
    settings.put("TASKBROKER_METRICS_ADDR", "127.0.0.1:0");
    settings.put("TASKBROKER_STORE__SQLITE__PATH", dir.resolve("store.sqlite").toString());
    settings.putAll(more);
    return new TestBroker(settings);
  }

  static TestBroker start(Path dir) {
    return start(dir, Map.of());
  }

  String address() {
    return broker.address();
  }

  void stop() {
    broker.close();
  }

  void startAgain() {
    broker = EmbeddedBroker.start(settings);
  }

  @Override
  public void close() {
    broker.close();
  }
}
