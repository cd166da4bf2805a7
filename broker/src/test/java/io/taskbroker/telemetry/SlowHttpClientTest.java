package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// HTTP clients that stall or never finish: other clients are served meanwhile, and the resources
/// of the stalled ones are released (G7, G8).
@Timeout(240)
final class SlowHttpClientTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final Duration SHORT = Duration.ofMillis(500);

  private final Metrics metrics = new Metrics();
  private final List<Socket> sockets = new ArrayList<>();
  private MetricsServer server = server(LONG, LONG, LONG);

  @AfterEach
  void stop() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    server.stop();
  }

  @Test
  void g8SlowRequestsDoNotDelayProbes() throws IOException {
    server.start();
    for (int i = 0; i < 30; i++) {
      connect("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    }

    assertIsServed("/health", 503);
    assertIsServed("/metrics", 200);
  }

  /// The oldest connections are closed.
  @Test
  void g7ConnectionsAreBoundedAndTheNewestIsServed() throws IOException {
    server.start();
    Socket oldest = connect("GET /health HTTP/1.1\r\n");
    for (int i = 0; i < 80; i++) {
      connect("GET /health HTTP/1.1\r\n");
    }

    assertIsServed("/health", 503);
    await().atMost(60, SECONDS).until(() -> isClosed(oldest));
    await()
        .untilAsserted(() ->
            assertThat(sockets.stream().filter(socket -> !isClosed(socket)).count())
                .isLessThanOrEqualTo(64));
  }

  @Test
  void g7ARequestThatDoesNotComeInFullIsClosed() throws IOException {
    server = server(SHORT, LONG, LONG);
    server.start();
    Socket silent = connect("");
    Socket slow = connect("GET /health HTTP/1.1\r\n");

    await().atMost(60, SECONDS).until(() -> isClosed(silent) && isClosed(slow));
  }

  @Test
  void g7AConnectionWithoutAnotherRequestIsClosed() throws IOException {
    server = server(LONG, SHORT, LONG);
    server.start();
    Socket idle = connect("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");

    assertThat(idle.getInputStream().read()).isEqualTo('H');
    await().atMost(60, SECONDS).until(() -> isClosed(idle));
  }

  @Test
  void g7AnAnswerThatIsNotReadIsCutOff() throws IOException {
    fill();
    server = server(LONG, SHORT.multipliedBy(4), SHORT);
    server.start();
    var slow = new Socket();
    sockets.add(slow);
    slow.setReceiveBufferSize(4_096);
    slow.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.port()));
    slow.getOutputStream().write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(US_ASCII));
    // Closed later than the unread response is cut off.
    Socket idle = connect("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    assertThat(idle.getInputStream().read()).isEqualTo('H');
    await().atMost(60, SECONDS).until(() -> isClosed(idle));

    int read = 0;
    try {
      read = slow.getInputStream().readAllBytes().length;
    } catch (IOException _) {
      // Reset by the server.
    }

    Socket whole = connect("GET /metrics HTTP/1.0\r\n\r\n");
    assertThat(read).isLessThan(whole.getInputStream().readAllBytes().length);
  }

  /// A pipelined request ends the connection after the pending response.
  @Test
  void g7ManyRequestsAtOnceAreNotKept() throws IOException {
    fill();
    server.start();
    Socket many = connect("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1_000));

    long bytes = many.getInputStream().transferTo(OutputStream.nullOutputStream());

    Socket one = connect("GET /metrics HTTP/1.0\r\n\r\n");
    assertThat(bytes).isLessThan(20L * one.getInputStream().readAllBytes().length);
  }

  @Test
  void g7LongRequestsAreRefused() throws IOException {
    server.start();

    assertThat(responseTo("GET /" + "x".repeat(5_000) + " HTTP/1.1\r\n\r\n"))
        .startsWith("HTTP/1.1 431");
    assertThat(responseTo("GET / HTTP/1.1\r\nX: " + "x".repeat(20_000) + "\r\n\r\n"))
        .startsWith("HTTP/1.1 431");
  }

  /// Slow readers of the metrics share rendered pages.
  @Test
  void g7PagesThatAreReadSlowlyAreShared() {
    var page = new MetricsPage(metrics, PrometheusTextFormatWriter.create());
    List<ByteBuf> read = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      read.add(page.content());
    }

    assertThat(read.stream().map(ByteBuf::memoryAddress).distinct().count())
        .isLessThanOrEqualTo(MetricsPage.MOST);
    read.forEach(ByteBuf::release);
    metrics.databaseSize.set(77);
    await()
        .untilAsserted(() -> {
          ByteBuf now = page.content();
          assertThat(now.toString(US_ASCII)).contains("taskbroker_upkeep_db_file_size_bytes 77.0");
          now.release();
        });
    page.close();
  }

  /// HTTP servers elsewhere in the process keep their own limits.
  @Test
  void noSystemPropertyIsSet() {
    server.start();

    assertThat(System.getProperties().stringPropertyNames())
        .noneMatch(name -> name.contains("httpserver"));
  }

  /// Adds many tag values, so that the page exceeds the socket buffers.
  private void fill() {
    for (int i = 0; i < 250; i++) {
      metrics.receivedToPush.of("namespace-" + "n".repeat(80) + i, "task").observe(1);
      metrics.receivedToGetTask.of("namespace-" + "n".repeat(80) + i, "task").observe(1);
      metrics.receivedToClaimed.of("namespace-" + "n".repeat(80) + i, "task", "1").observe(1);
    }
  }

  private MetricsServer server(Duration request, Duration idle, Duration answer) {
    return new MetricsServer(
        metrics,
        InetSocketAddress.createUnresolved("127.0.0.1", 0),
        true,
        new MetricsServer.Limits(256, 64, request, idle, answer));
  }

  private void assertIsServed(String path, int status) throws IOException {
    assertThat(responseTo("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        .startsWith("HTTP/1.1 " + status);
  }

  private String responseTo(String request) throws IOException {
    try (Socket socket = connect(request)) {
      return new String(socket.getInputStream().readNBytes(13), US_ASCII);
    }
  }

  private Socket connect(String beginning) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
    socket.setSoTimeout(60_000);
    sockets.add(socket);
    socket.getOutputStream().write(beginning.getBytes(US_ASCII));
    return socket;
  }

  private static boolean isClosed(Socket socket) {
    if (socket.isClosed()) {
      return true;
    }
    try {
      socket.setSoTimeout(1);
      while (socket.getInputStream().read() >= 0) {
        // Read the earlier response.
      }
      return true;
    } catch (SocketTimeoutException _) {
      return false;
    } catch (IOException _) {
      return true;
    }
  }
}
