package io.taskbroker.control;

import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Client of the control socket: sends commands to the broker that uses the same store on this
/// machine. Confined to one thread.
public final class ControlClient {
  private static final int MAX_ANSWER_BYTES = 64 << 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final JsonMapper json = JsonMapper.builder().build();
  private final Path socket;

  public ControlClient(Path socket) {
    this.socket = socket;
  }

  /// Repeats a command until nothing is left to do.
  ///
  /// @return the last answer, with the total number of tasks done
  /// @throws ControlException if no broker answers, or it rejects the command
  public QuarantineAnswer give(QuarantineRequest command) throws InterruptedException {
    long movedAt = System.nanoTime();
    int done = 0;
    while (true) {
      QuarantineAnswer answer = once(command);
      done += answer.done();
      if (answer.left() == 0 || System.nanoTime() - movedAt > PATIENCE.toNanos()) {
        return new QuarantineAnswer(
            answer.held(), done, answer.left(), answer.forwarding(), answer.tasks());
      }
      if (answer.done() > 0) {
        movedAt = System.nanoTime();
      } else {
        TimeUnit.MILLISECONDS.sleep(100); // the broker's store is busy
      }
    }
  }

  private QuarantineAnswer once(QuarantineRequest command) {
    ControlReply reply;
    try (var lines = new Lines(SocketChannel.open(UnixDomainSocketAddress.of(socket)))) {
      lines.write(json.writeValueAsBytes(command), TIMEOUT);
      reply = json.readValue(lines.read(MAX_ANSWER_BYTES, TIMEOUT), ControlReply.class);
    } catch (IOException | IllegalArgumentException e) {
      throw new ControlException(
          "no broker listens at %s (%s): run this on the broker's machine, as its user, in its working directory and with its configuration"
              .formatted(socket, e.getMessage()),
          e);
    } catch (JacksonException e) {
      throw new ControlException(
          "the process at %s is not a broker of this version: %s"
              .formatted(socket, e.getOriginalMessage()),
          e);
    }
    QuarantineAnswer answer = reply.answer();
    if (answer == null) {
      throw new ControlException("the broker rejected the command: " + reply.error());
    }
    return answer;
  }
}
