package io.taskbroker.grpc;

import static io.taskbroker.grpc.RawConnection.block;
import static io.taskbroker.grpc.RawConnection.headers;
import static io.taskbroker.grpc.RawHttp2.frame;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.grpc.Context;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import io.taskbroker.LogCapture;
import io.taskbroker.grpc.RawConnection.Outcome;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.SetBatchActivationStatusRequest;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Peers that abuse HTTP/2 to keep the server busy or its memory full: they are notified, closed
/// and counted, while others are served (G7, G8).
final class AbuseTest extends ServedTest {
  private static final String SET = "/" + ConsumerService.NAME + "/SetTaskStatus";
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int PRIORITY = 2;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int WINDOW_UPDATE = 8;
  private static final int UNKNOWN = 66;
  private static final int MANY = 400_000;
  private static final int AT_ONCE = 500;
  private static final byte[] OPEN = block(headers(SET));
  private static final SetTaskStatusRequest GOOD =
      SetTaskStatusRequest.newBuilder()
          .setId("x")
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
          .build();

  /// Size of requests that are counted separately from their call.
  private static final SetTaskStatusRequest MEDIUM =
      GOOD.toBuilder().setId("x".repeat(2_000)).build();

  @RegisterExtension final LogCapture log = LogCapture.of(FrameGuard.class);

  /// @param first bytes sent once
  /// @param repeated bytes sent repeatedly, by number of repetition
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Flood(String name, byte[] first, IntFunction<byte[]> repeated) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Flood> floods() {
    byte[] nothing = new byte[0];
    byte[] stream = frame(HEADERS, 4, 1, OPEN);
    byte[] begun = concat(stream, frame(DATA, 0, 1, new byte[] {0, 0, 16, 0, 0}));
    return Stream.of(
        new Flood("rapid resets", nothing, i -> concat(open(i), reset(id(i)))),
        new Flood("resets that the server is made to send", nothing, i -> concat(open(i), zero(i))),
        new Flood("settings", nothing, _ -> frame(SETTINGS, 0, 0, nothing)),
        new Flood("windows that change", stream, i -> frame(SETTINGS, 0, 0, window(i % 2))),
        new Flood("pings", nothing, _ -> frame(PING, 0, 0, new byte[8])),
        new Flood("answers to no ping", nothing, _ -> frame(PING, 1, 0, new byte[8])),
        new Flood("window updates", nothing, _ -> frame(WINDOW_UPDATE, 0, 0, number(1))),
        new Flood("window updates of a stream", stream, _ -> frame(WINDOW_UPDATE, 0, 1, number(1))),
        new Flood("priorities", stream, i -> frame(PRIORITY, 0, id(i), new byte[] {0, 0, 0, 0, 1})),
        new Flood("unknown frames", nothing, _ -> frame(UNKNOWN, 0, 0, new byte[20])),
        new Flood("empty data", begun, _ -> frame(DATA, 0, 1, nothing)),
        new Flood("data in crumbs", begun, _ -> frame(DATA, 0, 1, new byte[1])),
        new Flood(
            "data of padding",
            begun,
            _ -> frame(DATA, 8, 1, new byte[] {9, 0, 0, 0, 0, 0, 0, 0, 0, 0})));
  }

  @ParameterizedTest
  @MethodSource("floods")
  void g8FloodingConnectionIsClosedAndOthersAreServed(Flood flood) throws Exception {
    intake.answerWithNothing();
    GrpcServer server = serve(true);
    var other = worker(server);
    other.setTaskStatus(GOOD);
    try (var connection = attack(server, new byte[0])) {
      Thread sending = Thread.ofPlatform().start(() -> send(connection, flood));
      Outcome outcome = connection.read(Integer.MAX_VALUE);
      other.setTaskStatus(GOOD);
      sending.join(Duration.ofSeconds(60));

      assertThat(sending.isAlive()).isFalse();
      assertThat(outcome.end()).isIn("goaway 11", "closed");
    }
    await().untilAsserted(() -> assertThat(closed("frames") + closed("abuse")).isEqualTo(1));
    other.setTaskStatus(GOOD);
  }

  @Test
  void floodingPeerGetsAReasonAndALogLine() throws Exception {
    GrpcServer server = serve(true);
    try (var connection = attack(server, new byte[0])) {
      // Few enough that the server closes without discarding unread data.
      for (int i = 0; i < 501; i++) {
        connection.frame(SETTINGS, 0, 0, new byte[0]);
      }

      assertThat(connection.read(Integer.MAX_VALUE).end()).isEqualTo("goaway 11");
      await()
          .untilAsserted(() ->
              assertThat(log.lines())
                  .anyMatch(line ->
                      line.contains(
                          "Closed the gRPC connection from 127.0.0.2: too many frames without"
                              + " work")));
    }
  }

  /// Small frames of a busy worker are paid for by its calls.
  @Test
  void aBusyConnectionMaySendManySmallFrames() throws Exception {
    intake.answerWithNothing();
    GrpcServer server = serve(true);
    byte[] message = RawConnection.message(0, GOOD.getSerializedSize(), GOOD.toByteArray());
    try (var connection = new RawConnection(server.port())) {
      for (int i = 0; i < 20_000; i++) {
        connection.send(
            concat(
                open(i),
                frame(DATA, 1, id(i), message),
                frame(WINDOW_UPDATE, 0, 0, number(5)),
                frame(WINDOW_UPDATE, 0, 0, number(5))));
        assertThat(connection.read(id(i)).end()).isEqualTo("trailers");
      }
    }
  }

  @Test
  void g8RepeatOffenderIsRateLimited() throws Exception {
    intake.answerWithNothing();
    GrpcServer server = serve(true);
    var flood = new Flood("settings", new byte[0], _ -> frame(SETTINGS, 0, 0, new byte[0]));

    await()
        .untilAsserted(() -> {
          try (var connection = attack(server, new byte[0])) {
            send(connection, flood);
            connection.read(Integer.MAX_VALUE);
          } catch (IOException _) {
            // already refused
          }
          assertThat(metrics.grpcConnectionsRefused.of("rate").get()).isPositive();
        });
    assertThat(closed("frames")).isGreaterThan(Peer.STRIKES);
    worker(server).setTaskStatus(GOOD);
  }

  @Test
  void g7OnePeerCannotTakeAllConnections() throws Exception {
    intake.answerWithNothing();
    var usual = GrpcOptions.Limits.DEFAULT;
    GrpcServer server = serve(limited(10, 2, usual.incompleteBytes(), usual.patience()));
    List<RawConnection> open = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      open.add(attack(server, new byte[0]));
    }

    await().until(() -> metrics.grpcConnectionsRefused.of("peer").get() == 1);
    worker(server).setTaskStatus(GOOD);
    assertThat(metrics.grpcConnections.get()).isEqualTo(3);
    for (RawConnection each : open) {
      each.close();
    }
    await().until(() -> metrics.grpcConnections.get() == 1);
  }

  /// Requests of 4 MiB, each missing its last byte.
  @Test
  void g7IncompleteRequestsShareABudget() throws Exception {
    intake.answerWithNothing();
    long bound = 8 << 20;
    GrpcServer server = serve(limited(100, 100, bound, GrpcOptions.Limits.DEFAULT.patience()));
    try (var connection = attack(server, new byte[0])) {
      var end = new AtomicBoolean();
      Thread sending =
          Thread.ofPlatform()
              .start(() -> {
                byte[] chunk = new byte[16_384];
                try {
                  for (int i = 0; i < 64 && !end.get(); i++) {
                    connection.send(open(i));
                    connection.frame(DATA, 0, id(i), new byte[] {0, 0, 64, 0, 0});
                    for (int sent = 0; sent < 63; sent++) {
                      connection.frame(DATA, 0, id(i), chunk);
                    }
                  }
                } catch (IOException _) {
                  // Closed, as it should be.
                }
              });
      assertThat(connection.read(Integer.MAX_VALUE).end()).isIn("goaway 11", "closed");
      end.set(true);
      sending.join();
    }
    assertThat(closed("requests")).isEqualTo(1);
    // Its memory is released.
    await().ignoreExceptions().untilAsserted(() -> worker(server).setTaskStatus(GOOD));
  }

  /// Batches of many updates that the engine does not answer, from a client that cancels each.
  @Test
  void g7RequestsAwaitingTheEngineShareABudget() throws Exception {
    long bound = 8 << 20;
    GrpcServer server = serve(limited(100, 100, bound, GrpcOptions.Limits.DEFAULT.patience()));
    var report =
        SetBatchActivationStatusRequest.newBuilder()
            .addAllUpdates(Collections.nCopies(10_000, GOOD))
            .build();
    int bytes = report.getSerializedSize() + 10_000 * 128;
    var worker = ConsumerServiceGrpc.newStub(connect(server));
    int refused = 0;
    for (int i = 0; i < 20; i++) {
      var call = new AtomicBoolean();
      Context.CancellableContext context = Context.current().withCancellation();
      context.run(() -> worker.setBatchActivationStatus(report, new EndObserver<>(call)));
      int waiting = i + 1 - refused;
      await().until(() -> call.get() || intake.requests.size() == waiting);
      if (call.get()) {
        refused++;
        assertFails(
            () -> ConsumerServiceGrpc.newBlockingStub(connect(server)).setTaskStatus(MEDIUM),
            Status.Code.UNAVAILABLE,
            String.valueOf(Connection.TOO_MANY.getDescription()));
      } else {
        context.cancel(null);
      }
    }
    int most = (int) (bound / 2 / bytes) + 1;
    assertThat(20 - refused).as("waiting requests of %d bytes", bytes).isBetween(2, most);

    intake.requests.forEach(request -> ((Command.Report) request).reply().done(null));
    intake.answerWithNothing();
    await().ignoreExceptions().untilAsserted(() -> worker(server).setBatchActivationStatus(report));
  }

  /// Small requests are counted as part of their calls.
  @Test
  void g7CallsAwaitingTheEngineShareABudget() throws Exception {
    long bound = 64 << 10;
    GrpcServer server = serve(limited(100, 100, bound, GrpcOptions.Limits.DEFAULT.patience()));
    var worker = ConsumerServiceGrpc.newStub(connect(server));
    for (int i = 0; i < 16; i++) {
      worker.setTaskStatus(GOOD, new EndObserver<>(new AtomicBoolean()));
    }
    await().until(() -> intake.requests.size() == 16);

    assertFails(
        () -> worker(server).setTaskStatus(GOOD),
        Status.Code.UNAVAILABLE,
        String.valueOf(Connection.TOO_MANY.getDescription()));
    intake.requests.forEach(request -> ((Command.Report) request).reply().done(null));
    intake.answerWithNothing();
    await().ignoreExceptions().untilAsserted(() -> worker(server).setTaskStatus(GOOD));
  }

  @Test
  void g7IncompleteFrameClosesItsConnection() throws Exception {
    GrpcServer server = serve(limited(100, 100, 1 << 24, Duration.ofSeconds(1)));
    byte[] call = frame(HEADERS, 4, 1, OPEN);
    byte[] openEnded = frame(HEADERS, 0, 1, OPEN);
    for (byte[] begun : List.of(new byte[] {0}, Arrays.copyOf(call, 40), openEnded)) {
      try (var connection = attack(server, new byte[0])) {
        connection.send(begun);

        assertThat(connection.read(Integer.MAX_VALUE).end()).isEqualTo("closed");
      }
    }
    assertThat(closed("slow")).isEqualTo(3);
  }

  /// The client answers pings, as every library does automatically.
  @Test
  void g7IdleConnectionIsClosed() throws Exception {
    var usual = GrpcOptions.Limits.DEFAULT;
    var limits =
        new GrpcOptions.Limits(
            1 << 20, 100, 100, 100, 100, 1 << 24, 1 << 24, usual.patience(), Duration.ofSeconds(1));
    GrpcServer server = serve(new GrpcOptions(anyPort(), List.of(), true, limits));
    try (var connection = attack(server, new byte[0])) {
      assertThat(connection.read(Integer.MAX_VALUE).end()).isEqualTo("goaway 0");
    }
  }

  /// Health checks are handled by the library, which waits for the request indefinitely.
  @Test
  void g7StalledHealthCheckFails() throws Exception {
    GrpcServer server = serve(limited(100, 100, 1 << 24, Duration.ofSeconds(1)));
    for (String method : List.of("Check", "Watch")) {
      try (var connection = attack(server, new byte[0])) {
        connection.open(headers("/grpc.health.v1.Health/" + method));

        assertThat(connection.read().grpcStatus()).isEqualTo("4");
      }
    }
  }

  static void send(RawConnection connection, Flood flood) {
    try {
      connection.send(flood.first());
      var bytes = new ByteArrayOutputStream();
      for (int i = 0; i < MANY; i++) {
        bytes.writeBytes(flood.repeated().apply(i));
        if (i % AT_ONCE == AT_ONCE - 1) {
          connection.send(bytes.toByteArray());
          bytes.reset();
        }
      }
    } catch (IOException _) {
      // Closed, as it should be.
    }
  }

  private RawConnection attack(GrpcServer server, byte[] settings) throws IOException {
    return new RawConnection(server.port(), InetAddress.ofLiteral("127.0.0.2"), settings);
  }

  private long closed(String reason) {
    return (long) metrics.grpcConnectionsClosed.of(reason).get();
  }

  private static GrpcOptions limited(
      int connections, int perPeer, long incompleteBytes, Duration patience) {
    var usual = GrpcOptions.Limits.DEFAULT;
    var limits =
        new GrpcOptions.Limits(
            usual.requestBytes(),
            usual.updates(),
            usual.callsPerConnection(),
            connections,
            perPeer,
            incompleteBytes,
            usual.unreadBytes(),
            patience,
            usual.idle());
    return new GrpcOptions(anyPort(), List.of(), true, limits, Optional.empty());
  }

  private static int id(int i) {
    return 2 * i + 1;
  }

  private static byte[] open(int i) {
    return frame(HEADERS, 4, id(i), OPEN);
  }

  private static byte[] reset(int stream) {
    return frame(RST_STREAM, 0, stream, number(8));
  }

  /// Window update of zero bytes, for which the server resets the stream.
  private static byte[] zero(int i) {
    return frame(WINDOW_UPDATE, 0, id(i), number(0));
  }

  private static byte[] window(int bytes) {
    return concat(new byte[] {0, 4}, number(bytes));
  }

  private static byte[] number(int number) {
    return new byte[] {
      (byte) (number >> 24), (byte) (number >> 16), (byte) (number >> 8), (byte) number
    };
  }

  private static byte[] concat(byte[]... parts) {
    var out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /// Notes that a call ended, however it did.
  private record EndObserver<T>(AtomicBoolean ended) implements StreamObserver<T> {
    @Override
    public void onNext(T answer) {}

    @Override
    public void onError(Throwable failure) {
      ended.set(true);
    }

    @Override
    public void onCompleted() {
      ended.set(true);
    }
  }
}
