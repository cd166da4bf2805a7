package io.taskbroker.control;

import io.taskbroker.inflight.QuarantineAnswer;
import io.taskbroker.inflight.QuarantineRequest;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/// Gives commands to the broker that runs with the same store on this machine. One thread.
public final class ControlClient {
  private static final int MAX_ANSWER_BYTES = 64 << 20;
  private static final Duration TIMEOUT = Duration.ofSeconds(20);
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  private final JsonMapper json = JsonMapper.builder().build();
  private final Path socket;

  public ControlClient(Path socket) {
    this.socket = socket;
  }

  /// Gives a command again and again until nothing is left of it to be done.
  ///
  /// @return the last answer, with all that was done
  /// @throws ControlException if no broker answers, or it refuses the command
  public QuarantineAnswer give(QuarantineRequest order) throws InterruptedException {
    long movedAt = System.nanoTime();
    int done = 0;
    while (true) {
      QuarantineAnswer answer = once(order);
      done += answer.done();
      if (answer.left() == 0 || System.nanoTime() - movedAt > PATIENCE.toNanos()) {
        return new QuarantineAnswer(
            answer.held(), done, answer.left(), answer.leaving(), answer.tasks());
      }
      if (answer.done() > 0) {
        movedAt = System.nanoTime();
      } else {
        TimeUnit.MILLISECONDS.sleep(100); // its store is busy
      }
    }
  }

  private QuarantineAnswer once(QuarantineRequest order) {
    ControlReply reply;
    try (var lines = new Lines(SocketChannel.open(UnixDomainSocketAddress.of(socket)))) {
      lines.write(json.writeValueAsBytes(order), TIMEOUT);
      reply = json.readValue(lines.read(MAX_ANSWER_BYTES, TIMEOUT), ControlReply.class);
    } catch (IOException | IllegalArgumentException e) {
      throw new ControlException(
          "no broker takes commands at %s (%s): run this where the broker runs, as its user, in its folder, and with its configuration"
              .formatted(socket, e.getMessage()),
          e);
    } catch (JacksonException e) {
      throw new ControlException(
          "what answers at %s is no broker of this version: %s"
              .formatted(socket, e.getOriginalMessage()),
          e);
    }
    QuarantineAnswer answer = reply.answer();
    if (answer == null) {
      throw new ControlException("the broker refuses the command: " + reply.error());
    }
    return answer;
  }
}
