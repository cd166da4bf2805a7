package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Stream of `EnqueueRequest`s, answered in their order. Confined to the event loop, except the
/// replies of the engine.
final class EnqueueStream extends StreamCall {
  static final int MAX_UNANSWERED = 16;

  private static final Status TOO_MANY =
      Status.RESOURCE_EXHAUSTED.withDescription(
          "More than " + MAX_UNANSWERED + " requests are unanswered: wait for responses");

  private final CommandSink intake;
  private final InstantSource clock;
  private final EnqueueCounts counts;
  private final ArrayDeque<Request> requests = new ArrayDeque<>();
  private boolean halfClosed;

  EnqueueStream(
      ServerCall<byte[], byte[]> call,
      Connection connection,
      CommandSink intake,
      InstantSource clock,
      EnqueueCounts counts) {
    super(call, connection);
    this.intake = intake;
    this.clock = clock;
    this.counts = counts;
  }

  @Override
  void message(byte[] bytes) throws InvalidProtocolBufferException {
    if (requests.size() >= MAX_UNANSWERED) {
      close(TOO_MANY);
      return;
    }
    Enqueued tasks = EnqueueReader.read(bytes, clock.millis());
    long held = connection.holdMessage(bytes.length + tasks.memory());
    if (held < 0) {
      close(Connection.TOO_MANY);
      return;
    }
    var request = new Request(tasks, held);
    requests.addLast(request);
    intake.request(new Command.Enqueue(tasks.activations(), request));
  }

  @Override
  boolean mayRead() {
    return (requests.isEmpty() || connection.hasRoomForMessage()) && super.mayRead();
  }

  @Override
  void halfClosed() {
    halfClosed = true;
    if (requests.isEmpty()) {
      close(Status.OK);
    }
  }

  @Override
  void ended() {
    // The answers of pending requests release what they hold.
  }

  /// Sends the responses that are due.
  private void answered(Request request) {
    connection.releaseRequest(request.held);
    if (isClosed()) {
      return;
    }
    String failure = request.failure;
    if (failure != null) {
      close(Status.UNAVAILABLE.withDescription(failure));
      return;
    }
    Request first = requests.peekFirst();
    while (first != null && first.response != null) {
      send(first.response);
      requests.removeFirst();
      first = requests.peekFirst();
    }
    if (halfClosed && requests.isEmpty()) {
      close(Status.OK);
    }
    readOnIfPossible();
  }

  /// One request; answered by the engine's thread.
  private final class Request implements Command.EnqueueReply {
    private final Enqueued tasks;
    private final long held;
    private byte @Nullable [] response;
    private @Nullable String failure;

    Request(Enqueued tasks, long held) {
      this.tasks = tasks;
      this.held = held;
    }

    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      counts.enqueued(tasks, outcomes);
      byte[] bytes = tasks.response(outcomes).toByteArray();
      running.run(() -> {
        response = bytes;
        answered(this);
      });
    }

    @Override
    public void unavailable(String why) {
      running.run(() -> {
        failure = why;
        answered(this);
      });
    }
  }
}
