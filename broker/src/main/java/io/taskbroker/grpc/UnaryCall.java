package io.taskbroker.grpc;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Pending unary call: receives one request and is answered once, by any thread. The event loop
/// writes the response, together with all others submitted meanwhile.
final class UnaryCall extends ServerCall.Listener<byte[]>
    implements Runnable, RunningCalls.RunningCall, RunningCalls.IncompleteCall {
  /// Longest name that is kept of the application that is asked for.
  private static final int MAX_NAME = 100;

  private static final Status UNREAD =
      Status.UNAVAILABLE.withDescription(
          "Too many responses are unread on this connection or address: read them and try again");

  /// Deadline for completing the request.
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
  private @Nullable Runnable whenGone;
  private @Nullable Future<?> timeout;
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
    Runnable action = whenGone;
    if (action != null && timeout != null) {
      action.run();
    }
    endTimeout();
    running.incomplete().end(deadline);
    running.remove(this);
    ended();
  }

  @Override
  public void onComplete() {
    ended();
  }

  /// Releases the call, which is over for the transport, too.
  private void ended() {
    connection.ended();
    if (written) {
      connection.releaseResponse(responseBytes);
      connection.responseDone();
    }
  }

  /// Duration of the call so far.
  long nanos() {
    return System.nanoTime() - begunAt;
  }

  /// Notes that the caller asks for a task.
  ///
  /// @param application null for any
  void asksForTask(@Nullable String application) {
    connection.asked(
        application == null || application.length() <= MAX_NAME
            ? application
            : application.substring(0, MAX_NAME),
        begunAt);
  }

  /// Notes that the caller reports.
  void reports() {
    connection.reported(begunAt);
  }

  /// Address and port of the caller.
  String peer() {
    return Connection.address(call);
  }

  /// Whether the client has cancelled.
  boolean isCancelled() {
    return cancelled;
  }

  /// Whether a response of unknown size would be sent soon, or at least buffered.
  boolean canTakeResponse() {
    return !cancelled && connection.hasRoomForResponse();
  }

  /// Reserves the memory of the request until the call is answered, even if the client cancels: the
  /// engine still holds it (G7).
  ///
  /// @param bytes memory of the request
  /// @return false if there is no room
  boolean holdRequest(long bytes) {
    long held = connection.holdRequest(bytes);
    requestBytes += Math.max(0, held);
    return held >= 0;
  }

  /// Fails the call with an incomplete request.
  @Override
  public void cutOff(Status reason) {
    request = null;
    call.close(reason, new Metadata());
  }

  /// Runs an action when the client has gone or some time has passed, unless the call is answered
  /// before. Called by the event loop.
  void whenGoneOrAfter(int seconds, Runnable action) {
    whenGone = action;
    timeout = running.schedule(action, seconds);
  }

  private void endTimeout() {
    Future<?> scheduled = timeout;
    if (scheduled != null) {
      var _ = scheduled.cancel(false);
      timeout = null;
    }
  }

  /// Answers the call; has no effect if the client has gone.
  void answer(byte[] message) {
    response = message;
    responseBytes = message.length;
    connection.holdResponse(message.length);
    running.run(this);
  }

  /// Answers a call that the client may repeat; fails it while too many answers are unread (G7).
  ///
  /// @param message called at once, or not at all
  void answerIfRead(Supplier<byte[]> message) {
    if (canTakeResponse()) {
      answer(message.get());
    } else {
      fail(UNREAD);
    }
  }

  /// Fails the call.
  @Override
  public void fail(Status reason) {
    status = reason;
    running.run(this);
  }

  /// Writes the response, unless the call ended before.
  @Override
  public void run() {
    connection.releaseRequest(requestBytes);
    requestBytes = 0;
    byte[] message = response;
    response = null;
    if (!running.remove(this)) {
      connection.releaseResponse(responseBytes);
      return;
    }
    written = true;
    endTimeout();
    connection.answered();
    if (message != null) {
      call.sendHeaders(new Metadata());
      call.sendMessage(message);
    }
    call.close(status, new Metadata());
    method.ended(nanos());
  }
}
