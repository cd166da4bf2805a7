package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What commands write to a terminal, or to a pipe that nobody reads.
@Timeout(240)
final class TerminalOutputTest {
  private static final String OVERVIEW =
      """
      {"broker": {"name": "b", "version": "1", "ready": true, "started_at": "now"},
       "tasks": {"pending": 0, "claimed": 0, "processing": 0, "delayed": 0, "parked": 0,
         "forwarding": 0, "quarantined": {}},
       "oldest_waiting_seconds": 0,
       "rate": {"completed": 0, "failed": 0, "retried": 0, "dead_lettered": 0, "over_seconds": 1},
       "applications": [], "tasknames": [], "partitions": [], "pauses": []}
      """;

  @Test
  void namesFromOutsideDoNotControlATerminal() {
    assertThat(Table.printable("a\u001b[31m\u007f\u009b31m\u0085b")).isEqualTo("a?[31m??31m?b");
  }

  /// As `taskbroker top | head -1`.
  @Test
  void topEndsWhenNobodyReadsIt() throws Exception {
    var requests = new AtomicInteger();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/v1/overview",
        exchange -> {
          requests.incrementAndGet();
          byte[] body = OVERVIEW.getBytes(UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    try {
      int code =
          Main.commandLine()
              .setOut(new PrintWriter(new BrokenPipe(), false, UTF_8))
              .execute("top", "--admin", "http://127.0.0.1:" + server.getAddress().getPort());
      assertThat(code).isZero();
      assertThat(requests).hasValue(1);
    } finally {
      server.stop(0);
    }
  }

  private static final class BrokenPipe extends OutputStream {
    @Override
    public void write(int b) throws IOException {
      throw new IOException("Broken pipe");
    }
  }
}
