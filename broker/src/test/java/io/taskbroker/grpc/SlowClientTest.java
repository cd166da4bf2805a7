package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.grpc.RawConnection.Outcome;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.CertificateAuthority;
import io.taskbroker.testkit.CertificateAuthority.Issued;
import io.taskbroker.tls.PemFile;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsFiles;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Clients that begin a call and do not continue: their resources are released after a while (G7).
final class SlowClientTest extends ServedTest {
  private static final String SET = "/" + ConsumerService.NAME + "/SetTaskStatus";
  private static final byte[] GOOD =
      SetTaskStatusRequest.newBuilder()
          .setId("x")
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
          .build()
          .toByteArray();
  private static final byte[] WHOLE = RawConnection.message(0, GOOD.length, GOOD);

  @ParameterizedTest
  @ValueSource(ints = {0, 3, 7})
  void g7StalledRequestFails(int bytes) throws IOException {
    intake.answerWithNothing();
    GrpcServer server = serve(impatient(Optional.empty()));
    try (var connection = new RawConnection(server.port())) {
      connection.open(RawConnection.headers(SET));
      connection.frame(0, 0, 1, Arrays.copyOf(WHOLE, bytes));

      Outcome outcome = connection.read();

      assertThat(outcome.grpcStatus()).as("%s", outcome).isEqualTo("4");
      assertThat(outcome.headers().get("grpc-message"))
          .isEqualTo("The request did not come in full within 1000 ms");
    }
    assertThat(intake.requests).isEmpty();
    assertServed(server);
  }

  @Test
  void callWaitingForTheEngineDoesNotTimeOut() throws Exception {
    GrpcServer server = serve(impatient(Optional.empty()));
    try (var waiting = new RawConnection(server.port());
        var slow = new RawConnection(server.port())) {
      waiting.open(RawConnection.headers(SET));
      waiting.frame(0, 1, 1, WHOLE);
      var report = (Command.Report) intake.requests.take();
      slow.open(RawConnection.headers(SET));

      assertThat(slow.read().grpcStatus()).isEqualTo("4");
      report.reply().done(null);
      assertThat(waiting.read().grpcStatus()).isEqualTo("0");
    }
  }

  /// A client that obeys the settings queues further calls.
  @Test
  void g7CallsOverTheLimitOfAConnectionAreRefused() throws IOException {
    var limits = new GrpcOptions.Limits(1_000, 100, 2, 10);
    GrpcServer server = serve(new GrpcOptions(anyPort(), List.of(), true, limits));
    byte[] headers = RawConnection.block(RawConnection.headers(SET));
    try (var connection = new RawConnection(server.port())) {
      for (int stream : new int[] {1, 3, 5}) {
        connection.frame(1, 4, stream, headers);
      }

      assertThat(connection.read(5).end()).as("REFUSED_STREAM").isEqualTo("reset 7");
      intake.answerWithNothing();
      connection.frame(0, 1, 1, WHOLE);
      assertThat(connection.read(1).grpcStatus()).isEqualTo("0");
    }
  }

  @Test
  void resetCallsReleaseTheirState() throws Exception {
    intake.answerWithNothing();
    GrpcServer server = serve(impatient(Optional.empty()));
    try (var connection = new RawConnection(server.port())) {
      connection.open(RawConnection.headers(SET));
      connection.frame(3, 0, 1, new byte[] {0, 0, 0, 8});
    }
    try (var second = new RawConnection(server.port())) {
      second.open(RawConnection.headers(SET));

      assertThat(second.read().grpcStatus()).isEqualTo("4");
    }
    assertServed(server);
  }

  @Test
  void g7SilentConnectionsAreClosed() throws IOException {
    assertCloses(serve(impatient(Optional.empty())));
  }

  @Test
  void g7SilentConnectionsAreClosedInTlsToo(@TempDir Path dir) throws IOException {
    assertCloses(serve(impatient(Optional.of(tls(dir)))));
  }

  private static TlsContext tls(Path dir) throws IOException {
    Issued issued = new CertificateAuthority("brokers").issue(dir, "broker", "127.0.0.1");
    var files =
        new TlsFiles(
            Optional.of(
                new IdentityFiles(
                    new PemFile("certificate", issued.certificate()),
                    new PemFile("key", issued.key()))),
            Optional.empty());

    return TlsContext.server(files);
  }

  /// Connections that stop within a TLS handshake, a preface, or before their SETTINGS.
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void g7StalledConnectionsAreClosed(boolean tls, @TempDir Path dir) throws IOException {
    GrpcServer server = serve(impatient(tls ? Optional.of(tls(dir)) : Optional.empty()));
    byte[] hello = {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xFC, 3, 3};
    byte[] preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
    for (byte[] begun : tls ? List.of(hello) : List.of(Arrays.copyOf(preface, 9), preface)) {
      try (var socket = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
        socket.setSoTimeout(60_000);
        socket.getOutputStream().write(begun);

        await().atMost(60, SECONDS).until(() -> isClosed(socket));
      }
    }
  }

  /// Two silent connections, closed by the server.
  private static void assertCloses(GrpcServer server) throws IOException {
    List<Socket> silent = new ArrayList<>();
    try {
      for (int i = 0; i < 2; i++) {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
        socket.setSoTimeout(60_000);
        silent.add(socket);
      }
      for (Socket socket : silent) {
        await().atMost(60, SECONDS).until(() -> isClosed(socket));
      }
    } finally {
      for (Socket socket : silent) {
        socket.close();
      }
    }
  }

  /// A busy machine may be as slow as a client that is cut off.
  private void assertServed(GrpcServer server) {
    await()
        .ignoreExceptions()
        .untilAsserted(() -> worker(server).setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD)));
  }

  private static boolean isClosed(Socket socket) {
    try {
      return socket.getInputStream().read(new byte[1_024]) < 0;
    } catch (SocketTimeoutException _) {
      return false;
    } catch (IOException _) {
      return true;
    }
  }

  private static GrpcOptions impatient(Optional<TlsContext> tls) {
    var limits = new GrpcOptions.Limits(1 << 20, 100, 100, 100, Duration.ofSeconds(1));
    return new GrpcOptions(anyPort(), List.of(), true, limits, tls);
  }
}
