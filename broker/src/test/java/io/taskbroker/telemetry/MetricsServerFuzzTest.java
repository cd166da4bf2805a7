package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.runtime.HealthReport;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary bytes on a connection to the metrics server (G7): they are answered or the connection
/// is closed, and later requests are answered.
final class MetricsServerFuzzTest {
  private static final int PATIENCE_MILLIS = 60_000;
  private static final int MAX_ANSWER = 1 << 20;
  private static final MetricsServer SERVER =
      new MetricsServer(
          new Metrics(), new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), true);

  @BeforeAll
  static void start() {
    SERVER.start();
    SERVER.setHealth(
        new HealthReport(true, true, Long.MAX_VALUE / 2 + System.nanoTime(), List.of()));
  }

  @AfterAll
  static void stop() {
    SERVER.stop();
  }

  @MethodSource("seeds")
  @FuzzTest
  void answersOrClosesAndServesOthers(byte[] input) throws IOException {
    var portions = new Portions(input);
    String beginning = portions.number() % 2 == 0 ? "" : "GET /metrics HTTP/1.1\r\nHost: x\r\n";
    byte[] bytes = portions.rest();
    try {
      String answer = new String(responseTo(beginning, bytes), US_ASCII);
      assertThat(answer).matches("(?s)(HTTP/1\\.1 [1-5][0-9][0-9] .*)?");
    } catch (SocketException _) {
      // Closed with unread input.
    }
    assertThat(new String(responseTo("GET /health HTTP/1.0\r\n\r\n", new byte[0]), US_ASCII))
        .startsWith("HTTP/1.1 200 ");
  }

  /// The response to a client that closes its output after these bytes.
  private static byte[] responseTo(String beginning, byte[] bytes) throws IOException {
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), SERVER.port())) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.getOutputStream().write(beginning.getBytes(US_ASCII));
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
      byte[] answer = socket.getInputStream().readNBytes(MAX_ANSWER);
      assertThat(answer.length).isLessThan(MAX_ANSWER);
      return answer;
    }
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        seed(0, "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text\r\n\r\n"),
        seed(0, "HEAD /health HTTP/1.0\r\n\r\n"),
        seed(0, "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab"),
        seed(0, "GET http://x:y/%zz?a=b#c HTTP/1.1\r\n\r\n"),
        seed(0, "GET /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"),
        seed(0, "\r\n\r\n\u0000"),
        seed(1, "Accept: text/plain;q=x\r\nConnection: keep-alive\r\n\r\n"),
        seed(1, "Content-Length: -1\r\n\r\n"),
        seed(1, "A: " + "b".repeat(3000) + "\r\n\r\n"));
  }

  private static byte[] seed(int form, String text) {
    return new Portions.Seed().number(form).rest(text.getBytes(US_ASCII));
  }
}
