package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Call with streams in both directions. Messages are read as they come; messages to send may be
/// submitted by any thread, and the event loop writes all that were submitted meanwhile. What the
/// client does not read is bounded by [#hasRoom], which senders ask first. Everything else is
/// confined to the event loop.
abstract class StreamCall extends ServerCall.Listener<byte[]>
    implements Runnable, RunningCalls.RunningCall, RunningCalls.IncompleteCall {
  private static final Logger LOGGER = LoggerFactory.getLogger(StreamCall.class);

  /// Unread bytes of one stream at which no task is sent and no message is read.
  private static final long MAX_UNREAD = 1 << 20;

  /// Memory of a message to send beyond its bytes.
  private static final int MESSAGE_BYTES = 256;

  /// Interval at which a paused stream looks whether others of its connection or address have read.
  private static final int LOOK_SECONDS = 1;

  final Connection connection;
  final RunningCalls running;

  /// Deadline for the first message.
  private final Deadline<RunningCalls.IncompleteCall> firstMessage = new Deadline<>(this);

  private final ServerCall<byte[], byte[]> call;
  private final Queue<byte[]> outgoing = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();

  /// Bytes submitted and not known to be read.
  private final AtomicLong unread = new AtomicLong();

  private boolean awaitsReading;

  /// Whether no message is read for now, and whether that is looked at again after a second.
  private boolean paused;

  private boolean lookingAgain;
  private boolean released;
  private volatile boolean closed;

  StreamCall(ServerCall<byte[], byte[]> call, Connection connection) {
    this.call = call;
    this.connection = connection;
    this.running = connection.running();
  }

  /// Begins to serve the call. The headers tell [FrameGuard] that this is a stream.
  final void open() {
    running.add(this);
    running.incomplete().begin(firstMessage);
    call.sendHeaders(new Metadata());
    call.request(1);
  }

  /// Closes a call that is not served.
  final void refuse(Status why) {
    closed = true;
    call.close(why, new Metadata());
  }

  /// Handles a message.
  ///
  /// @throws InvalidProtocolBufferException if it cannot be decoded
  /// @throws BadRequest if it is invalid
  abstract void message(byte[] bytes) throws InvalidProtocolBufferException;

  /// Handles the end of the client's messages.
  abstract void halfClosed();

  /// Handles the end of the stream, once.
  abstract void ended();

  @Override
  public final void onMessage(byte[] message) {
    running.incomplete().end(firstMessage);
    if (closed) {
      return;
    }
    Status failure = RawMessage.failure(message);
    if (failure != null) {
      close(failure);
      return;
    }
    try {
      message(message);
    } catch (BadRequest e) {
      close(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
    } catch (InvalidProtocolBufferException e) {
      close(Status.INVALID_ARGUMENT.withDescription("Cannot decode a message: " + e.getMessage()));
    } catch (RuntimeException e) {
      LOGGER.error("Cannot handle a message of a stream", e);
      close(Status.INTERNAL.withDescription("Cannot handle the message"));
    }
    if (!closed) {
      paused = true;
      readOnIfPossible();
    }
  }

  @Override
  public final void onHalfClose() {
    running.incomplete().end(firstMessage);
    if (!closed) {
      halfClosed();
    }
  }

  @Override
  public final void onCancel() {
    end();
    release();
  }

  @Override
  public final void onComplete() {
    release();
  }

  @Override
  public final void onReady() {
    checkReading();
  }

  /// Ends a stream whose first message did not come in time.
  @Override
  public final void cutOff(Status reason) {
    close(reason);
  }

  @Override
  public void fail(Status reason) {
    close(reason);
  }

  /// Whether another message may be submitted. Thread-safe.
  final boolean hasRoom() {
    return !closed && unread.get() < MAX_UNREAD && connection.hasRoomForResponse();
  }

  final boolean isClosed() {
    return closed;
  }

  /// Submits a message; dropped if the stream has ended. Thread-safe.
  final void send(byte[] message) {
    hold(message.length + MESSAGE_BYTES);
    enqueue(message);
    flushSoon();
  }

  /// Counts bytes that are about to be sent. Thread-safe.
  final void hold(int bytes) {
    unread.addAndGet(bytes);
    connection.holdResponse(bytes);
  }

  /// Submits a message that is counted, for the next [#run]. Thread-safe.
  final void enqueue(byte[] message) {
    outgoing.add(message);
  }

  /// Has [#run] called by the event loop. Thread-safe.
  final void flushSoon() {
    if (scheduled.compareAndSet(false, true)) {
      running.run(this);
    }
  }

  /// Adds what was prepared by other threads to the messages. Called by the event loop before it
  /// writes.
  void prepare() {}

  @Override
  public final void run() {
    scheduled.set(false);
    prepare();
    for (byte[] message = outgoing.poll(); message != null; message = outgoing.poll()) {
      if (!closed) {
        connection.streamed();
        call.sendMessage(message);
      }
    }
    checkReading();
  }

  /// Releases what was sent once the transport is ready for more; until then a deadline for reading
  /// runs.
  private void checkReading() {
    if (closed || call.isReady()) {
      long read = outgoing.isEmpty() ? unread.getAndSet(0) : 0;
      connection.releaseResponse(read);
      if (awaitsReading) {
        awaitsReading = false;
        connection.responseDone();
      }
      readOn();
      readOnIfPossible();
    } else if (!awaitsReading) {
      awaitsReading = true;
      connection.answered();
    }
  }

  /// Whether the next message may be read: not before the client has read most of what it was sent,
  /// since each message may cause more (G7).
  boolean mayRead() {
    return hasRoom();
  }

  final boolean isPaused() {
    return paused;
  }

  /// Reads the next message if it was not read and now may be.
  final void readOnIfPossible() {
    if (!paused || closed) {
      return;
    }
    if (mayRead()) {
      paused = false;
      call.request(1);
    } else if (!lookingAgain) {
      lookingAgain = true;
      var _ = running.schedule(this::lookAgain, LOOK_SECONDS);
    }
  }

  private void lookAgain() {
    lookingAgain = false;
    readOnIfPossible();
  }

  /// Called when the client has read what was sent.
  void readOn() {}

  /// Closes the stream.
  final void close(Status status) {
    if (!closed) {
      run();
      end();
      call.close(status, new Metadata());
    }
  }

  private void end() {
    if (!closed) {
      closed = true;
      running.incomplete().end(firstMessage);
      running.remove(this);
      ended();
      checkReading();
    }
  }

  private void release() {
    if (!released) {
      released = true;
      connection.ended();
    }
  }
}
