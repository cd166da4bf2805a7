package io.taskbroker.grpc;

import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.net.SocketAddress;
import org.jspecify.annotations.Nullable;

/// One call that is under way: takes in one request and is answered once, by any thread. The answer
/// is written by the event loop, which writes all that came to it in the meantime together.
final class UnaryCall extends ServerCall.Listener<byte[]>
    implements Runnable, RunningCalls.IncompleteCall {
  /// When its request must have come in full.
  final Deadline<RunningCalls.IncompleteCall> deadline = new Deadline<>(this);

  private final UnaryMethod method;
  private final ServerCall<byte[], byte[]> call;
  private final @Nullable String signature;
  private final Connection connection;
  private final RunningCalls running;
  private final long begunAt = System.nanoTime();
  private byte @Nullable [] request;
  private byte @Nullable [] response;
  private long requestBytes;
  private int responseBytes;
  private Status status = Status.OK;
  private boolean written;
  private volatile boolean cancelled;

  UnaryCall(
      UnaryMethod method,
      ServerCall<byte[], byte[]> call,
      @Nullable String signature,
      Connection connection) {
    this.method = method;
    this.call = call;
    this.signature = signature;
    this.connection = connection;
    this.running = connection.running();
  }

  @Override
  public void onMessage(byte[] message) {
    request = message;
  }

  @Override
  public void onHalfClose() {
    running.incomplete().end(deadline);
    running.add(this);
    byte[] complete = request;
    request = null;
    if (complete == null) {
      fail(Status.INTERNAL.withDescription("The call ended without a request"));
    } else {
      method.handle(this, complete, signature);
    }
  }

  @Override
  public void onCancel() {
    cancelled = true;
    running.incomplete().end(deadline);
    running.remove(this);
    ended();
  }

  @Override
  public void onComplete() {
    ended();
  }

  /// The call is over for the transport, too.
  private void ended() {
    connection.ended();
    if (written) {
      connection.releaseAnswer(responseBytes);
      connection.answerLeft();
    }
  }

  /// How long the call has taken so far.
  long nanos() {
    return System.nanoTime() - begunAt;
  }

  /// Address and port of who calls.
  String peer() {
    SocketAddress address = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    return address == null ? "an unknown address" : address.toString().replaceFirst("^/", "");
  }

  /// Whether the client has given up.
  boolean isCancelled() {
    return cancelled;
  }

  /// Whether an answer of a size that is not known yet would be sent soon, or at least kept.
  boolean canTakeAnswer() {
    return !cancelled && connection.hasRoomForAnswer();
  }

  /// Counts what its request takes of memory until the call is answered, which a client that gave
  /// up does not change: the engine still has it (G7).
  ///
  /// @param bytes of memory
  /// @return false if there is no room
  boolean holdRequest(long bytes) {
    long held = connection.holdRequest(bytes);
    requestBytes += Math.max(0, held);
    return held >= 0;
  }

  /// Fails the call, whose request has not come in full.
  @Override
  public void cutOff(Status reason) {
    request = null;
    call.close(reason, new Metadata());
  }

  /// Answers the call. A client that went away is not told.
  void answer(byte[] message) {
    response = message;
    responseBytes = message.length;
    connection.holdAnswer(message.length);
    running.run(this);
  }

  /// Fails the call.
  void fail(Status reason) {
    status = reason;
    running.run(this);
  }

  /// Writes the answer, unless the call ended before.
  @Override
  public void run() {
    connection.releaseRequest(requestBytes);
    requestBytes = 0;
    byte[] message = response;
    response = null;
    if (!running.remove(this)) {
      connection.releaseAnswer(responseBytes);
      return;
    }
    written = true;
    connection.answered();
    if (message != null) {
      call.sendHeaders(new Metadata());
      call.sendMessage(message);
    }
    call.close(status, new Metadata());
    method.ended(nanos());
  }
}
