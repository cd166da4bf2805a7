package io.taskbroker.grpc;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.channel.ChannelHandlerContext;
import io.taskbroker.grpc.ConnectionCounts.Closing;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// One connection of a worker: what it holds, and what it may still send that is no work (G7).
/// Confined to its loop, but for the bytes of answers, which the engine asks for.
final class Connection {
  static final Attributes.Key<Connection> KEY = Attributes.Key.create("io.taskbroker.connection");

  /// The part of a budget that one connection may hold.
  static final int PART = 4;

  /// What a call takes, a small request included.
  private static final int CALL_BYTES = 2_048;

  static final Status TOO_MANY =
      Status.UNAVAILABLE.withDescription(
          "Too many calls wait for their answers, on all connections of this address: try again");

  /// A request up to this size is counted with its call.
  private static final int SMALL_REQUEST = 1_024;

  private static final int FRAMES_PER_SECOND = 500;
  private static final int FRAMES_AT_ONCE = 10_000;
  private static final int FRAMES_OF_AN_ANSWER = 12;
  private static final int PART_OF_A_SPENDER = 10;

  /// When what it began to send must have come in full.
  final Deadline<Connection> frameDeadline = new Deadline<>(this);

  /// When it must have read something.
  final Deadline<Connection> readDeadline = new Deadline<>(this);

  private final RunningCalls running;
  private final Peer peer;
  private final long maxUnread;
  private final ConnectionCounts counts;
  private final RateLimit frames;
  private final AtomicLong unread = new AtomicLong();
  private @Nullable ChannelHandlerContext guard;
  private int unreadAnswers;
  private long written;
  private long writtenAtDeadline;
  private boolean closed;

  Connection(RunningCalls running, Peer peer, long maxUnread, ConnectionCounts counts) {
    this.running = running;
    this.peer = peer;
    this.maxUnread = maxUnread;
    this.counts = counts;
    this.frames = new RateLimit(FRAMES_PER_SECOND, FRAMES_AT_ONCE, System.nanoTime());
  }

  /// The connection that a call came on.
  static Connection of(ServerCall<?, ?> call) {
    Connection connection = call.getAttributes().get(KEY);
    if (connection == null) {
      throw new IllegalStateException("A call on no connection");
    }
    return connection;
  }

  RunningCalls running() {
    return running;
  }

  Peer peer() {
    return peer;
  }

  /// Where it can be closed.
  void guardedBy(ChannelHandlerContext context) {
    guard = context;
  }

  /// A call begins. Unless there is room for it, it ends here.
  ///
  /// @return whether it goes on
  boolean begins(ServerCall<?, ?> call) {
    if (!peer.calls().hasRoom()) {
      call.close(TOO_MANY, new Metadata());
      return false;
    }
    peer.calls().take(CALL_BYTES);
    return true;
  }

  /// A call that went on is over for the transport, too.
  void ended() {
    peer.calls().give(CALL_BYTES);
  }

  /// A request came in full, and waits for its answer. The first that exceeds the bound still has
  /// room: a request of any size does when nothing else waits.
  ///
  /// @param bytes of memory that it takes
  /// @return how many of them to give back by [#releaseRequest]; -1 if there is no room
  long holdRequest(long bytes) {
    if (bytes <= SMALL_REQUEST) {
      return 0;
    }
    if (!peer.calls().hasRoom()) {
      return -1;
    }
    peer.calls().take(bytes);
    return bytes;
  }

  /// A request was answered, though perhaps nobody hears it.
  void releaseRequest(long bytes) {
    if (bytes > 0) {
      peer.calls().give(bytes);
    }
  }

  /// Whether another answer fits: less is unread than may be. Thread-safe.
  boolean hasRoomForAnswer() {
    return unread.get() < maxUnread && peer.answers().hasRoom();
  }

  /// An answer is going to be written. Thread-safe.
  void holdAnswer(int bytes) {
    if (bytes > 0) {
      unread.addAndGet(bytes);
      peer.answers().take(bytes);
    }
  }

  /// An answer was read, or is not written. Thread-safe.
  void releaseAnswer(int bytes) {
    if (bytes > 0) {
      unread.addAndGet(-bytes);
      peer.answers().give(bytes);
    }
  }

  /// An answer was given to the transport.
  void answered() {
    frames.earn(FRAMES_OF_AN_ANSWER);
    if (unreadAnswers++ == 0) {
      writtenAtDeadline = written;
      running.unread().begin(readDeadline);
    }
  }

  /// An answer left, or never will.
  void answerLeft() {
    if (--unreadAnswers == 0) {
      running.unread().end(readDeadline);
    }
  }

  /// Bytes of messages were written, which the peer has room for.
  void wrote(int bytes) {
    written += bytes;
  }

  /// The time for reading is over: closes it unless something was read.
  void checkReading() {
    if (written == writtenAtDeadline) {
      closeNow(Closing.UNREAD);
    } else if (unreadAnswers > 0) {
      writtenAtDeadline = written;
      running.unread().begin(readDeadline);
    }
  }

  /// Frames came that are no work.
  ///
  /// @return whether it sent too many
  boolean overspends(int cost, long now) {
    if (!frames.spend(cost, now)) {
      return true;
    }
    return frames.isBeyond(PART_OF_A_SPENDER, now) && peer.overspends(cost, now);
  }

  /// It is about to be closed for that reason.
  ///
  /// @return false if it is already
  boolean closing(Closing reason) {
    if (closed) {
      return false;
    }
    closed = true;
    peer.strike(System.nanoTime());
    counts.closed(reason, peer.address().getHostAddress());
    return true;
  }

  /// Closes it without a word: it does not listen.
  void closeNow(Closing reason) {
    ChannelHandlerContext context = guard;
    if (context != null && closing(reason)) {
      var _ = context.close();
    }
  }
}
