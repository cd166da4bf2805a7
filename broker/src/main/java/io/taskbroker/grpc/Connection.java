package io.taskbroker.grpc;

import io.grpc.Attributes;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.netty.channel.ChannelHandlerContext;
import io.taskbroker.grpc.ConnectionCounts.Closing;
import io.taskbroker.runtime.Deadlines.Deadline;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// State of one worker connection: what it holds, and its allowance for frames that carry no work
/// (G7). Confined to its event loop, except for response bytes, which the engine queries.
final class Connection {
  static final Attributes.Key<Connection> KEY = Attributes.Key.create("io.taskbroker.connection");

  /// Fraction of a budget that one connection may hold: one in so many.
  static final int FRACTION = 4;

  /// Memory of a call, a small request included.
  private static final int CALL_BYTES = 2_048;

  static final Status TOO_MANY =
      Status.UNAVAILABLE.withDescription(
          "Too many calls await their responses on the connections of this address: try again");

  /// Requests up to this size count as part of their call.
  private static final int SMALL_REQUEST = 1_024;

  /// Memory of a message of a stream that awaits its answer, beyond what is in it.
  private static final int MESSAGE_BYTES = 512;

  private static final int FRAMES_PER_SECOND = 500;
  private static final int FRAME_BURST = 10_000;
  private static final int FRAMES_PER_RESPONSE = 12;
  private static final int PEER_CHARGE_FRACTION = 10;

  /// Deadline for completing the frame that was begun.
  final Deadline<Connection> frameDeadline = new Deadline<>(this);

  /// Deadline for reading a response.
  final Deadline<Connection> readDeadline = new Deadline<>(this);

  private final RunningCalls running;
  private final Peer peer;
  private final long maxUnread;
  private final ConnectionCounts counts;
  private final RateLimit frames;
  private final AtomicLong unread = new AtomicLong();
  private final long openedAt = System.nanoTime();

  /// When a task was last asked for, of which application, and when one was last reported, for
  /// people; [#openedAt] for never.
  private volatile long askedAt = openedAt;

  private volatile @Nullable String askedFor;
  private volatile long reportedAt = openedAt;
  private @Nullable ChannelHandlerContext guard;
  private int unreadResponses;
  private long written;
  private long writtenAtDeadline;
  private boolean closed;

  Connection(RunningCalls running, Peer peer, long maxUnread, ConnectionCounts counts) {
    this.running = running;
    this.peer = peer;
    this.maxUnread = maxUnread;
    this.counts = counts;
    this.frames = new RateLimit(FRAMES_PER_SECOND, FRAME_BURST, System.nanoTime());
  }

  /// Connection of a call.
  static Connection of(ServerCall<?, ?> call) {
    Connection connection = call.getAttributes().get(KEY);
    if (connection == null) {
      throw new IllegalStateException("The call has no connection");
    }
    return connection;
  }

  /// Address and port of the client of a call.
  static String address(ServerCall<?, ?> call) {
    SocketAddress address = call.getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR);
    return address == null ? "an unknown address" : address.toString().replaceFirst("^/", "");
  }

  RunningCalls running() {
    return running;
  }

  Peer peer() {
    return peer;
  }

  /// Notes that a worker asks for a task.
  ///
  /// @param application null for any
  void asked(@Nullable String application, long now) {
    askedFor = application;
    askedAt = now;
  }

  /// Notes that a worker reports.
  void reported(long now) {
    reportedAt = now;
  }

  /// The worker that asks for tasks on it; empty if none does. Thread-safe.
  Optional<PullWorker> pullWorker(InetSocketAddress address, long now) {
    long asked = askedAt;
    long reported = reportedAt;
    return asked == openedAt
        ? Optional.empty()
        : Optional.of(
            new PullWorker(
                address.getHostString() + ":" + address.getPort(),
                Optional.ofNullable(askedFor),
                Duration.ofNanos(now - openedAt),
                Duration.ofNanos(now - asked),
                reported == openedAt
                    ? Optional.empty()
                    : Optional.of(Duration.ofNanos(now - reported))));
  }

  /// Sets the context by which it can be closed.
  void guardedBy(ChannelHandlerContext context) {
    guard = context;
  }

  /// Admits a call, or closes it if there is no room.
  ///
  /// @return whether the call was admitted
  boolean admit(ServerCall<?, ?> call) {
    if (!peer.calls().hasRoom()) {
      call.close(TOO_MANY, new Metadata());
      return false;
    }
    peer.calls().take(CALL_BYTES);
    return true;
  }

  /// Releases an admitted call that is over for the transport, too.
  void ended() {
    peer.calls().give(CALL_BYTES);
  }

  /// Reserves memory for a complete request that awaits its response. The first one to exceed the
  /// limit is still admitted: a request of any size is, when nothing else waits.
  ///
  /// @param bytes memory of the request
  /// @return bytes to release by [#releaseRequest]; -1 if there is no room
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

  /// Reserves memory for a message of a stream that awaits its answer. Small ones find room in any
  /// case, one of each stream; the stream then asks [#hasRoomForMessage] before it reads another
  /// one.
  ///
  /// @param bytes memory of what is in the message
  /// @return bytes to release by [#releaseRequest]; -1 if there is no room
  long holdMessage(long bytes) {
    if (bytes > SMALL_REQUEST && !peer.calls().hasRoom()) {
      return -1;
    }
    peer.calls().take(bytes + MESSAGE_BYTES);
    return bytes + MESSAGE_BYTES;
  }

  /// Whether another message may be read of a stream that has unanswered ones.
  boolean hasRoomForMessage() {
    return peer.calls().hasRoom();
  }

  /// Releases the memory of an answered request, even if the response is discarded.
  void releaseRequest(long bytes) {
    if (bytes > 0) {
      peer.calls().give(bytes);
    }
  }

  /// Whether another response fits: the unread bytes are below the limit. Thread-safe.
  boolean hasRoomForResponse() {
    return unread.get() < maxUnread && peer.answers().hasRoom();
  }

  /// Counts a response about to be written. Thread-safe.
  void holdResponse(int bytes) {
    if (bytes > 0) {
      unread.addAndGet(bytes);
      peer.answers().take(bytes);
    }
  }

  /// Uncounts a response that was read or is not written. Thread-safe.
  void releaseResponse(long bytes) {
    if (bytes > 0) {
      unread.addAndGet(-bytes);
      peer.answers().give(bytes);
    }
  }

  /// Records that a response was passed to the transport.
  void answered() {
    frames.earn(FRAMES_PER_RESPONSE);
    if (unreadResponses++ == 0) {
      writtenAtDeadline = written;
      running.unread().begin(readDeadline);
    }
  }

  /// Records that a message of a stream was passed to the transport.
  void streamed() {
    frames.earn(FRAMES_PER_RESPONSE);
  }

  /// Records that a response was sent, or never will be.
  void responseDone() {
    if (--unreadResponses == 0) {
      running.unread().end(readDeadline);
    }
  }

  /// Counts message bytes written within the peer's flow-control window.
  void wrote(int bytes) {
    written += bytes;
  }

  /// Closes the connection if nothing was read within the time for reading.
  void checkReading() {
    if (written == writtenAtDeadline) {
      closeNow(Closing.UNREAD);
    } else if (unreadResponses > 0) {
      writtenAtDeadline = written;
      running.unread().begin(readDeadline);
    }
  }

  /// Charges frames that carry no work.
  ///
  /// @return whether it exceeded its allowance
  boolean overspends(int cost, long now) {
    if (!frames.spend(cost, now)) {
      return true;
    }
    return frames.isBeyond(PEER_CHARGE_FRACTION, now) && peer.overspends(cost, now);
  }

  /// Records that the connection is about to be closed.
  ///
  /// @return false if it is already closed
  boolean closing(Closing reason) {
    if (closed) {
      return false;
    }
    closed = true;
    peer.strike(System.nanoTime());
    counts.closed(reason, peer.address().getHostAddress());
    return true;
  }

  /// Closes the connection without GOAWAY: the peer does not read.
  void closeNow(Closing reason) {
    ChannelHandlerContext context = guard;
    if (context != null && closing(reason)) {
      var _ = context.close();
    }
  }
}
