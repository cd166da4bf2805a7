package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class PortsTest {
  /// First port that Linux gives to connections and to servers on port 0.
  private static final int FIRST_OF_THE_SYSTEM = 32_768;

  @Test
  void nobodyElseGetsAPortBeforeItIsBound() throws Exception {
    int[] ports = IntStream.range(0, 200).map(_ -> Ports.free()).toArray();

    assertThat(ports).doesNotHaveDuplicates();
    for (int port : ports) {
      assertThat(port).isLessThan(FIRST_OF_THE_SYSTEM);
      new ServerSocket(port, 1, InetAddress.ofLiteral(Ports.HOST)).close();
    }
  }

  @Test
  void aPortInUseIsNotGiven() throws Exception {
    int next = Ports.free() + 1;
    try (var _ = new ServerSocket(next, 1, InetAddress.ofLiteral(Ports.HOST))) {
      assertThat(Ports.free()).isNotEqualTo(next);
    }
  }
}
