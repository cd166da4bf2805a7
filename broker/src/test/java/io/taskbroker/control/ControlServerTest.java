package io.taskbroker.control;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.QuarantineRequest.Action;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Control socket: input is bounded, and arbitrary input does no harm (G7, G8).
@Timeout(240)
final class ControlServerTest {
  @TempDir private Path dir;
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Engine engine = new Engine();
  private Path socket;
  private ControlServer server;

  @BeforeEach
  void start() {
    socket = dir.resolve("s.control");
    server = server();
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop();
    assertThat(failures).isEmpty();
    assertThat(socket).doesNotExist();
  }

  private ControlServer server() {
    return new ControlServer(
        socket, Set.of("a", "b"), engine, (_, failure) -> failures.add(failure));
  }

  /// Engine that leaves half of each command for the next call.
  private static final class Engine implements CommandSink {
    private final List<QuarantineRequest> orders = new ArrayList<>();
    private int held = 4;

    @Override
    public void submit(Command command) {
      Command.Quarantined quarantined = (Command.Quarantined) command;
      orders.add(quarantined.order());
      int done = (held + 1) / 2;
      held -= done;
      quarantined.reply().accept(new QuarantineAnswer(held + done, done, held, 0, List.of()));
    }

    @Override
    public void request(Command.Request request) {
      throw new AssertionError("Unexpected request " + request);
    }
  }

  @Test
  void commandRepeatsUntilNothingIsLeft() throws Exception {
    QuarantineAnswer answer = new ControlClient(socket).give(order("a"));
    assertThat(answer.done()).isEqualTo(4);
    assertThat(answer.left()).isZero();
    assertThat(engine.orders).hasSize(3).containsOnly(order("a"));
  }

  @Test
  void invalidCommandsAreRejected() throws Exception {
    assertThatThrownBy(() -> new ControlClient(socket).give(order("c")))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("'c' is not in kafka_topics of the running broker, which has a, b");
    for (String bad :
        List.of(
            "",
            "hello",
            "null",
            "{}",
            "[]",
            "{\"action\":\"LIST\",\"ids\":[],\"topic\":\"\",\"target\":\"\",\"limit\":10001}",
            "{\"action\":\"RETARGET\",\"ids\":[],\"topic\":\"\",\"target\":\"a\",\"limit\":1001}",
            "{\"action\":\"LIST\",\"ids\":["
                + "\"x\",".repeat(1_000)
                + "\"x\"],\"topic\":\"\",\"target\":\"\",\"limit\":1}",
            "{\"action\":\"LIST\",\"ids\":[null],\"topic\":\"\",\"target\":\"\",\"limit\":1}",
            "{\"action\":\"OTHER\",\"ids\":[],\"topic\":\"\",\"target\":\"\",\"limit\":1}",
            "[".repeat(100_000))) {
      assertThat(send(bad + "\n")).as(bad).contains("\"error\":\"").contains("\"answer\":null");
    }
    assertThat(engine.orders).isEmpty();
  }

  @Test
  void oversizedAndSilentConnectionsAreClosed() throws Exception {
    assertThat(send("x".repeat(ControlServer.MAX_REQUEST_BYTES + (1 << 20)))).isEmpty();
    try (SocketChannel silent = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      assertThat(silent.isConnected()).isTrue();
      assertThat(new ControlClient(socket).give(order("a")).done()).isEqualTo(4);
    }
  }

  @Test
  void staleSocketIsReplacedAndOneInUseIsNot() throws Exception {
    var second = server();
    second.start();
    second.stop();
    assertThat(new ControlClient(socket).give(order("a")).done()).isEqualTo(4);
    server.stop();
    try (var left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      left.bind(UnixDomainSocketAddress.of(socket));
    }
    assertThat(Files.exists(socket)).isTrue();
    server = server();
    server.start();
    engine.held = 4;
    assertThat(new ControlClient(socket).give(order("a")).done()).isEqualTo(4);
  }

  @Test
  void tooLongSocketPathIsOnlyAWarning() {
    var lost =
        new ControlServer(
            dir.resolve("x".repeat(150)), Set.of(), engine, (_, failure) -> failures.add(failure));
    lost.start();
    lost.stop();
  }

  private static QuarantineRequest order(String target) {
    return new QuarantineRequest(Action.RETARGET, List.of(), "", target, 2);
  }

  private String send(String text) throws IOException {
    try (SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
      try {
        while (bytes.hasRemaining()) {
          connection.write(bytes);
        }
        return new String(Channels.newInputStream(connection).readAllBytes(), UTF_8);
      } catch (IOException _) {
        return ""; // closed meanwhile
      }
    }
  }
}
