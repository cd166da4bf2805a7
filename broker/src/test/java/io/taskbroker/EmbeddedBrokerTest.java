package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.config.ConfigException;
import io.taskbroker.testkit.Ports;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A broker within another program.
@Timeout(240)
final class EmbeddedBrokerTest {
  @Test
  void itServesAndStartsAgainOnTheSamePortAndStore(@TempDir Path dir) {
    int port = Ports.free();
    Map<String, String> settings =
        Map.of(
            "TASKBROKER_KAFKA_ENABLED", "false",
            "TASKBROKER_GRPC_ADDR", "127.0.0.1",
            "TASKBROKER_GRPC_PORT", Integer.toString(port),
            "TASKBROKER_METRICS_ADDR", "127.0.0.1:0",
            "TASKBROKER_STORE__SQLITE__PATH", dir.resolve("store.sqlite").toString());
    for (int i = 0; i < 2; i++) {
      try (EmbeddedBroker broker = EmbeddedBroker.start(settings)) {
        assertThat(broker.address()).isEqualTo("127.0.0.1:" + port);
        assertThat(broker.failure()).isEmpty();
      }
    }
  }

  @Test
  void badSettingsAreNamed() {
    assertThatThrownBy(() -> EmbeddedBroker.start(Map.of("TASKBROKER_GRPC_PORT", "many")))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("grpc_port");
  }
}
