package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary bytes on a connection (W14, G7, G8): the server answers or closes, and other clients
/// are unaffected. The connection limit is low, so that leaked connections would block others.
final class ConnectionFuzzTest {
  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
  private static final SetTaskStatusRequest GOOD =
      SetTaskStatusRequest.newBuilder()
          .setId("x")
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
          .build();
  private static final String SET = "/" + ConsumerService.NAME + "/SetTaskStatus";
  private static final byte[] SETTINGS = RawHttp2.frame(4, 0, 0, new byte[0]);
  private static final int CONNECTIONS = 4;
  private static final int PATIENCE_MILLIS = 60_000;

  /// Longer than any response to 4 KiB.
  private static final int MAX_ANSWER = 1 << 20;

  private static final RecordedRequests INTAKE = new RecordedRequests();
  private static final GrpcServer SERVER =
      new GrpcServer(
          new GrpcOptions(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
              List.of(),
              false,
              new GrpcOptions.Limits(1 << 16, 100, 16, CONNECTIONS)),
          INTAKE,
          new Metrics());

  private static Set<Thread> threads = Set.of();
  private static int calls;

  @BeforeAll
  static void start() throws IOException {
    INTAKE.answerWithNothing();
    SERVER.start();
    call();
    threads = Thread.getAllStackTraces().keySet();
  }

  @AfterAll
  static void stop() {
    SERVER.stop();
  }

  @MethodSource("seeds")
  @FuzzTest
  void answersOrClosesAndServesOthers(byte[] input) throws IOException {
    var portions = new Portions(input);
    int form = portions.number();
    byte[] bytes = portions.rest();
    try (var socket = new Socket(InetAddress.getLoopbackAddress(), SERVER.port())) {
      socket.setSoTimeout(PATIENCE_MILLIS);
      say(socket, form, bytes);
      socket.shutdownOutput();
      assertThat(socket.getInputStream().readNBytes(MAX_ANSWER).length).isLessThan(MAX_ANSWER);
    } catch (SocketException _) {
      // closed with unread data
    }
    INTAKE.requests.clear();
    call();
    assertThat(INTAKE.requests).hasSize(1);
    // Only every time when few inputs are tried, since it is slow.
    if (++calls < 1_000 || calls % 1_000 == 0) {
      var more = new HashSet<>(Thread.getAllStackTraces().keySet());
      more.removeAll(threads);
      more.removeIf(thread -> !thread.getName().startsWith("grpc-server"));
      assertThat(more).isEmpty();
    }
  }

  /// Sends arbitrary bytes, optionally after a valid beginning.
  private static void say(Socket socket, int form, byte[] bytes) throws IOException {
    var all = new ByteArrayOutputStream();
    if (form % 3 != 0) {
      all.writeBytes(PREFACE);
      all.writeBytes(SETTINGS);
    }
    if (form % 3 == 2) {
      all.writeBytes(RawHttp2.frame(1, 4, 1, RawHttp2.requestHeaders(SET)));
    }
    all.writeBytes(bytes);
    all.writeTo(socket.getOutputStream());
  }

  /// Valid call on a connection of its own.
  private static void call() throws IOException {
    byte[] message = GOOD.toByteArray();
    try (var connection = new RawConnection(SERVER.port())) {
      var outcome =
          connection.call(
              RawConnection.headers(SET), RawConnection.message(0, message.length, message));
      assertThat(outcome.grpcStatus()).as("%s", outcome).isEqualTo("0");
    }
  }

  static Stream<byte[]> seeds() {
    byte[] message = RawConnection.message(0, GOOD.getSerializedSize(), GOOD.toByteArray());
    byte[] headers = RawHttp2.requestHeaders(SET);
    byte[] health = RawHttp2.requestHeaders("/grpc.health.v1.Health/Watch");
    var other = RawConnection.block(Map.of(":method", "GET", ":path", "/", "x", "y"));
    return Stream.of(
        seed(0, "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8)),
        seed(0, "PRI * HTTP/2.0\r\n\r\n".getBytes(UTF_8)),
        seed(0, new byte[] {0x16, 3, 1, 0, 5, 1, 0, 0, 1, 3}),
        seed(0, PREFACE),
        seed(1, RawHttp2.frame(1, 4, 1, headers), RawHttp2.frame(0, 1, 1, message)),
        seed(1, RawHttp2.frame(1, 0, 1, headers), RawHttp2.frame(9, 4, 1, new byte[0])),
        seed(1, RawHttp2.frame(1, 4, 1, health), RawHttp2.frame(0, 1, 1, new byte[5])),
        seed(1, RawHttp2.frame(1, 5, 1, other), RawHttp2.frame(1, 5, 3, headers)),
        seed(1, RawHttp2.frame(6, 0, 0, new byte[8]), RawHttp2.frame(7, 0, 0, new byte[8])),
        seed(1, RawHttp2.frame(4, 0, 0, new byte[] {0, 4, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0})),
        seed(2, RawHttp2.frame(0, 1, 1, message)),
        seed(2, RawHttp2.frame(0, 9, 1, new byte[] {2, 0, 0})),
        seed(2, RawHttp2.frame(8, 0, 1, new byte[] {0x7F, -1, -1, -1})),
        seed(2, RawHttp2.frame(0, 0, 1, message), RawHttp2.frame(3, 0, 1, new byte[4])),
        seed(2, RawHttp2.frame(2, 0, 1, new byte[5]), RawHttp2.frame(5, 4, 1, new byte[4])));
  }

  private static byte[] seed(int form, byte[]... frames) {
    var seed = new ByteArrayOutputStream();
    for (byte[] frame : frames) {
      seed.writeBytes(frame);
    }
    return new Portions.Seed().number(form).rest(seed.toByteArray());
  }
}
