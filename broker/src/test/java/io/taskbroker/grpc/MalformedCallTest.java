package io.taskbroker.grpc;

import static io.taskbroker.grpc.RawConnection.block;
import static io.taskbroker.grpc.RawConnection.headers;
import static io.taskbroker.grpc.RawConnection.message;
import static io.taskbroker.grpc.RawHttp2.frame;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.grpc.RawConnection.Outcome;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivationStatus;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Calls and connections that no gRPC library would make (W14): each ends with a reason, reaches no
/// engine, and leaves the server serving others.
final class MalformedCallTest extends ServedTest {
  private static final String SET = "/" + ConsumerService.NAME + "/SetTaskStatus";
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int SETTINGS = 4;
  private static final int PING = 6;
  private static final int WINDOW_UPDATE = 8;
  private static final int CONTINUATION = 9;
  private static final byte[] NOISE = {(byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 1};
  private static final byte[] GOOD =
      SetTaskStatusRequest.newBuilder()
          .setId("x")
          .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
          .build()
          .toByteArray();
  private static final byte[] WHOLE = message(0, GOOD.length, GOOD);
  private static final Map<String, String> GZIP = with("grpc-encoding", "gzip");

  /// @param expected expected end: `grpc N`, `http N`, or how the stream or connection was cut
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Call(String name, Map<String, String> headers, byte[] body, String expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  /// @param bytes bytes sent on a connection after its settings
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Noise(String name, byte[] bytes, String expected) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeEach
  void answer() {
    intake.answerWithNothing();
  }

  @ParameterizedTest
  @MethodSource("calls")
  void w14MalformedCallsEndWithAReason(Call call) throws IOException {
    GrpcServer server = serve(true);
    var other = worker(server);
    other.setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    Outcome outcome;
    try (var connection = new RawConnection(server.port())) {
      outcome = connection.call(call.headers(), call.body());
    }

    assertThat(describe(outcome)).as("%s", outcome).isEqualTo(call.expected());
    assertThat(intake.requests).hasSize(1);
    other.setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    worker(server).setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    assertThat(intake.requests).hasSize(3);
  }

  static Stream<Call> calls() throws IOException {
    Map<String, String> usual = headers(SET);
    byte[] gzipped = gzip(GOOD);
    byte[] bomb = gzip(new byte[(4 << 20) + 1]);
    return Stream.of(
        new Call("nothing", usual, new byte[0], "grpc 13"),
        new Call("no prefix", usual, new byte[] {0, 0, 0}, "grpc 13"),
        new Call("a truncated message", usual, message(0, 100, GOOD), "grpc 13"),
        new Call("a length of 4 MiB and 1", usual, message(0, (4 << 20) + 1, GOOD), "grpc 8"),
        new Call("a negative length", usual, message(0, -1, GOOD), "grpc 8"),
        new Call("two messages", usual, twice(WHOLE), "reset 8"),
        new Call("bytes after the message", usual, concat(WHOLE, new byte[] {1}), "grpc 13"),
        new Call("reserved flags", usual, message(2, GOOD.length, GOOD), "grpc 13"),
        new Call("compressed by nothing", usual, message(1, GOOD.length, GOOD), "grpc 13"),
        new Call("corrupt gzip", GZIP, message(1, GOOD.length, GOOD), "grpc 3"),
        new Call("truncated gzip", GZIP, message(1, 15, Arrays.copyOf(gzipped, 15)), "grpc 3"),
        new Call("a bomb of gzip", GZIP, message(1, bomb.length, bomb), "grpc 8"),
        new Call("unknown compression", with("grpc-encoding", "zstd"), WHOLE, "grpc 12"),
        new Call("no protobuf", usual, message(0, 3, new byte[] {0x0A, 0x7F, 1}), "grpc 3"),
        new Call("an unknown method", headers(SET + "es"), WHOLE, "grpc 12"),
        new Call("an unknown service", headers("/a.b.C/D"), WHOLE, "grpc 12"),
        new Call("no method", headers("/"), WHOLE, "grpc 12"),
        new Call("a path without slash", headers("x"), WHOLE, "http 404"),
        new Call("another type", with("content-type", "text/plain"), WHOLE, "http 415"),
        new Call("no type", with("content-type", ""), WHOLE, "http 415"),
        new Call("GET", with(":method", "GET"), WHOLE, "http 405"),
        new Call("no path", with(":path", ""), WHOLE, "http 404"));
  }

  @ParameterizedTest
  @MethodSource("noises")
  void w14MalformedConnectionsEndWithAReason(Noise noise) throws IOException {
    GrpcServer server = serve(true);
    var other = worker(server);
    other.setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    Outcome outcome;
    try (var connection = new RawConnection(server.port())) {
      connection.send(noise.bytes());
      outcome = connection.read();
    }

    assertThat(describe(outcome)).as("%s", outcome).isEqualTo(noise.expected());
    assertThat(intake.requests).hasSize(1);
    other.setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    worker(server).setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
  }

  /// Maximum number of parts of a header block that are smaller than 8 KiB, the first one included.
  @Test
  void g7HeadersMayComeInSixteenSmallParts() throws IOException {
    GrpcServer server = serve(true);
    for (int parts = 16; parts <= 17; parts++) {
      try (var connection = new RawConnection(server.port())) {
        connection.frame(HEADERS, 0, 1, block(headers(SET)));
        for (int part = 2; part < parts; part++) {
          connection.frame(CONTINUATION, 0, 1, new byte[0]);
        }
        connection.frame(CONTINUATION, 4, 1, new byte[0]);
        connection.frame(DATA, 1, 1, WHOLE);

        assertThat(describe(connection.read()))
            .as("%d parts", parts)
            .isEqualTo(parts == 16 ? "grpc 0" : "goaway 11");
      }
    }
  }

  /// Peer that accepts no response headers.
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void w14SettingsThatLeaveNoRoomForAnAnswerHurtNobodyElse(int headerListSize) throws Exception {
    GrpcServer server = serve(true);
    for (int i = 0; i < 20; i++) {
      try (var connection = connect(server, 6, headerListSize)) {
        var _ = connection.call(headers(SET), WHOLE);
      }
    }

    worker(server).setTaskStatus(SetTaskStatusRequest.parseFrom(GOOD));
    assertThat(intake.requests).hasSize(21);
  }

  /// Peer that offers an HPACK table of four gigabytes, which the server would have to match:
  /// responses name the called method.
  @Test
  void g7HeaderTableSizeIsBounded() throws Exception {
    GrpcServer server = serve(true);
    try (var connection = connect(server, 1, -1)) {
      Outcome outcome = connection.call(headers("/a.b.C/" + "d".repeat(2_000)), WHOLE);

      assertThat(describe(outcome)).isEqualTo("grpc 12");
      assertThat(connection.headersThatTheServerRemembers()).isEqualTo(4_096);
    }
  }

  private static RawConnection connect(GrpcServer server, int setting, int value)
      throws IOException {
    byte[] settings = ByteBuffer.allocate(6).putShort((short) setting).putInt(value).array();
    return new RawConnection(server.port(), InetAddress.ofLiteral("127.0.0.2"), settings);
  }

  static Stream<Noise> noises() {
    byte[] start = block(headers(SET));
    byte[] large = block(with("x-large", "x".repeat(15_000)));
    byte[] more = block(Map.of("x-more", "y".repeat(5_000)));
    byte[] flood = frame(HEADERS, 0, 1, start);
    for (int i = 0; i < 1_000; i++) {
      flood = concat(flood, frame(CONTINUATION, 0, 1, new byte[0]));
    }
    return Stream.of(
        new Noise(
            "headers of 20 KiB",
            concat(frame(HEADERS, 0, 1, large), frame(CONTINUATION, 4, 1, more)),
            "http 431"),
        new Noise("headers of 8 MB that are 5 KB", frame(HEADERS, 5, 1, bomb(start)), "http 431"),
        new Noise("headers without an end", flood, "goaway 11"),
        new Noise("headers of noise", frame(HEADERS, 5, 1, NOISE), "goaway 9"),
        new Noise("an even stream", frame(HEADERS, 5, 2, start), "goaway 1"),
        new Noise("data of no stream", frame(DATA, 1, 0, WHOLE), "goaway 1"),
        new Noise("data of an unknown stream", frame(DATA, 1, 1, WHOLE), "goaway 1"),
        new Noise("a frame of 16 KiB and 1", frame(DATA, 1, 1, new byte[16_385]), "goaway 6"),
        new Noise("settings of half a pair", frame(SETTINGS, 0, 0, new byte[3]), "goaway 6"),
        new Noise("a window of nothing", frame(WINDOW_UPDATE, 0, 0, new byte[4]), "goaway 1"),
        new Noise("a ping of three bytes", frame(PING, 0, 0, new byte[3]), "goaway 6"));
  }

  /// Headers that add an entry of 4,000 bytes to the connection's HPACK table, and refer to it
  /// 2,000 times.
  private static byte[] bomb(byte[] start) {
    byte[] large = block(Map.of("x-large", "x".repeat(3_900)));
    large[0] = 0x40; // an indexed literal
    byte[] references = new byte[2_000];
    Arrays.fill(references, (byte) (0x80 | 62)); // the newest table entry
    return concat(concat(start, large), references);
  }

  private static String describe(Outcome outcome) {
    if (!outcome.grpcStatus().isEmpty() && "200".equals(outcome.headers().get(":status"))) {
      return "grpc " + outcome.grpcStatus();
    }
    return outcome.headers().containsKey(":status")
        ? "http " + outcome.headers().get(":status")
        : outcome.end();
  }

  private static Map<String, String> with(String name, String value) {
    Map<String, String> headers = headers(SET);
    headers.put(name, value);
    return headers;
  }

  private static byte[] twice(byte[] message) {
    return concat(message, message);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(first);
    out.writeBytes(second);
    return out.toByteArray();
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(bytes);
    }
    return out.toByteArray();
  }
}
