package io.taskbroker.control;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.QuarantineRequest.Action;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Control socket for operator commands to a running broker. Serves one connection at a time, for a
/// few seconds at most; requests and answers are bounded (G7). If the socket cannot be created, a
/// warning is logged and the broker works without it.
public final class ControlServer implements Service {
  private static final Logger log = LoggerFactory.getLogger(ControlServer.class);
  private static final int BACKLOG = 8;
  static final int MAX_REQUEST_BYTES = 1 << 20;
  static final int MAX_IDS = 1_000;
  static final int MAX_LISTED = 10_000;
  static final int MAX_CHANGED = 1_000;
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(2);
  private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);
  private static final Duration ENGINE_TIMEOUT = Duration.ofSeconds(10);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(1);

  private final JsonMapper json = JsonMapper.builder().build();
  private final Path socket;
  private final Set<String> topics;
  private final CommandSink engine;
  private final LoopThread thread;
  private @Nullable ServerSocketChannel server;
  private @Nullable Selector selector;

  /// @param socket path of the socket; must not exceed the system's length limit
  /// @param topics allowed retarget topics
  public ControlServer(Path socket, Set<String> topics, CommandSink engine, FailureSink failures) {
    this.socket = socket;
    this.topics = new TreeSet<>(topics);
    this.engine = engine;
    this.thread = new LoopThread("control", this::turn, failures);
  }

  @Override
  public String name() {
    return "control";
  }

  @Override
  public void start() {
    try {
      listen();
    } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
      log.warn(
          "Operator commands (taskbroker quarantine) are unavailable: cannot listen on {}: {}",
          socket,
          e.getMessage());
      close();
      return;
    }
    thread.start();
  }

  private void listen() throws IOException {
    if (Files.exists(socket)) {
      if (isTaken()) {
        throw new IOException("another broker is listening on it");
      }
      Files.delete(socket); // left by a killed broker
    }
    ServerSocketChannel made = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server = made;
    made.bind(UnixDomainSocketAddress.of(socket), BACKLOG);
    Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rw-------"));
    made.configureBlocking(false);
    selector = Selector.open();
    made.register(selector, SelectionKey.OP_ACCEPT);
  }

  private boolean isTaken() {
    try (SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
      return connection.isConnected();
    } catch (IOException _) {
      return false;
    }
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIMEOUT)) {
      log.warn("An operator command is still running");
    }
    close();
  }

  private void close() {
    ServerSocketChannel made = server;
    try {
      if (selector != null) {
        selector.close();
      }
      if (made != null) {
        boolean bound = made.getLocalAddress() != null;
        made.close();
        if (bound) {
          Files.deleteIfExists(socket);
        }
      }
    } catch (IOException e) {
      log.debug("Cannot close the socket {}", socket, e);
    }
    server = null;
    selector = null;
  }

  private void turn() throws InterruptedException {
    Selector selecting = selector;
    ServerSocketChannel accepting = server;
    if (selecting == null || accepting == null) {
      throw new IllegalStateException("The socket is not open");
    }
    try {
      int ready = selecting.select();
      selecting.selectedKeys().clear();
      SocketChannel connection = ready == 0 ? null : accepting.accept();
      if (connection != null) {
        serve(connection);
      }
    } catch (IOException e) {
      if (!thread.isStopping()) {
        log.warn("An operator command was not accepted: {}", e.getMessage());
        TimeUnit.SECONDS.sleep(1); // avoid a busy loop
      }
    }
  }

  private void serve(SocketChannel connection) throws InterruptedException {
    try (var lines = new Lines(connection)) {
      ControlReply reply = reply(lines.read(MAX_REQUEST_BYTES, REQUEST_TIMEOUT));
      lines.write(json.writeValueAsBytes(reply), ANSWER_TIMEOUT);
    } catch (IOException e) {
      log.debug("An operator command was aborted: {}", e.getMessage());
    }
  }

  private ControlReply reply(byte[] request) throws InterruptedException {
    QuarantineRequest command;
    try {
      command = json.readValue(request, QuarantineRequest.class);
    } catch (JacksonException e) {
      return new ControlReply("invalid command: " + e.getOriginalMessage(), null);
    }
    String defect = defect(command);
    if (!defect.isEmpty()) {
      return new ControlReply(defect, null);
    }
    return execute(command);
  }

  /// Description of an invalid command; empty if it is valid. Any field may be missing from the
  /// JSON.
  @SuppressWarnings("ConstantValue")
  private String defect(@Nullable QuarantineRequest command) {
    if (command == null
        || command.action() == null
        || command.topic() == null
        || command.target() == null) {
      return "incomplete command";
    }
    if (command.ids().size() > MAX_IDS) {
      return "more than " + MAX_IDS + " ids in one command";
    }
    int most = command.action() == Action.LIST ? MAX_LISTED : MAX_CHANGED;
    if (command.limit() < 1 || command.limit() > most) {
      return "the limit " + command.limit() + " is not between 1 and " + most;
    }
    if (command.action() == Action.RETARGET && !topics.contains(command.target())) {
      return "topic '"
          + command.target()
          + "' is not in kafka_topics of the running broker, which has "
          + String.join(", ", topics);
    }
    return "";
  }

  private ControlReply execute(QuarantineRequest command) throws InterruptedException {
    var answered = new CompletableFuture<QuarantineAnswer>();
    engine.submit(new Command.Quarantined(command, answered::complete));
    try {
      QuarantineAnswer answer = answered.get(ENGINE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      if (command.action() != Action.LIST) {
        log.warn(
            "Operator command: {} of quarantined tasks{}{}: {} of {} activations",
            command.action(),
            command.topic().isEmpty() ? "" : " for topic " + command.topic(),
            command.target().isEmpty() ? "" : ", to topic " + command.target(),
            answer.done(),
            answer.held());
      }
      return new ControlReply(null, answer);
    } catch (TimeoutException e) {
      return new ControlReply(
          "the broker did not answer within "
              + ENGINE_TIMEOUT.toSeconds()
              + " s, and may execute the command later",
          null);
    } catch (ExecutionException e) {
      return new ControlReply("the broker failed: " + e.getCause(), null);
    }
  }
}
