package io.taskbroker.control;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.QuarantineAnswer;
import io.taskbroker.inflight.QuarantineRequest;
import io.taskbroker.inflight.QuarantineRequest.Action;
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

/// The socket at which a running broker takes the commands of operators. One connection at a time,
/// of some seconds at most; requests and answers are bounded (G7). A socket that cannot be made is
/// a warning: the broker works without.
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

  /// @param socket the file of the socket; a longer name than the system allows is no good
  /// @param topics those that something may be sent to
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
          "Commands of operators (taskbroker quarantine) are not taken: {} cannot be listened on:"
              + " {}",
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
        throw new IOException("another broker does");
      }
      Files.delete(socket); // of one that was killed
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
      log.warn("A command of an operator is still under way");
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
      log.debug("The socket {} was not closed", socket, e);
    }
    server = null;
    selector = null;
  }

  private void turn() throws InterruptedException {
    Selector selecting = selector;
    ServerSocketChannel accepting = server;
    if (selecting == null || accepting == null) {
      throw new IllegalStateException("The socket was not opened");
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
        log.warn("A command of an operator was not taken: {}", e.getMessage());
        TimeUnit.SECONDS.sleep(1); // whatever it is, not again and again
      }
    }
  }

  private void serve(SocketChannel connection) throws InterruptedException {
    try (var lines = new Lines(connection)) {
      ControlReply reply = reply(lines.read(MAX_REQUEST_BYTES, REQUEST_TIMEOUT));
      lines.write(json.writeValueAsBytes(reply), ANSWER_TIMEOUT);
    } catch (IOException e) {
      log.debug("An operator's command was given up: {}", e.getMessage());
    }
  }

  private ControlReply reply(byte[] request) throws InterruptedException {
    QuarantineRequest order;
    try {
      order = json.readValue(request, QuarantineRequest.class);
    } catch (JacksonException e) {
      return new ControlReply("this is no command: " + e.getOriginalMessage(), null);
    }
    String flaw = flaw(order);
    if (!flaw.isEmpty()) {
      return new ControlReply(flaw, null);
    }
    return follow(order);
  }

  /// What is wrong with a command; empty if nothing is. What came as JSON may lack anything.
  @SuppressWarnings("ConstantValue")
  private String flaw(@Nullable QuarantineRequest order) {
    if (order == null
        || order.action() == null
        || order.topic() == null
        || order.target() == null) {
      return "this command lacks something";
    }
    if (order.ids().size() > MAX_IDS) {
      return "more than " + MAX_IDS + " ids in one command";
    }
    int most = order.action() == Action.LIST ? MAX_LISTED : MAX_CHANGED;
    if (order.limit() < 1 || order.limit() > most) {
      return "the limit " + order.limit() + " is not between 1 and " + most;
    }
    if (order.action() == Action.RETARGET && !topics.contains(order.target())) {
      return "topic '"
          + order.target()
          + "' is not in kafka_topics of the running broker, which has "
          + String.join(", ", topics);
    }
    return "";
  }

  private ControlReply follow(QuarantineRequest order) throws InterruptedException {
    var answered = new CompletableFuture<QuarantineAnswer>();
    engine.submit(new Command.Quarantined(order, answered::complete));
    try {
      QuarantineAnswer answer = answered.get(ENGINE_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
      if (order.action() != Action.LIST) {
        log.warn(
            "An operator's command: {} what is quarantined{}{}: {} of {} activations",
            order.action(),
            order.topic().isEmpty() ? "" : " for topic " + order.topic(),
            order.target().isEmpty() ? "" : ", to topic " + order.target(),
            answer.done(),
            answer.held());
      }
      return new ControlReply(null, answer);
    } catch (TimeoutException e) {
      return new ControlReply(
          "the broker did not answer within "
              + ENGINE_TIMEOUT.toSeconds()
              + " s, and may follow the command later",
          null);
    } catch (ExecutionException e) {
      return new ControlReply("the broker failed: " + e.getCause(), null);
    }
  }
}
