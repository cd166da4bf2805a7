package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.taskbroker.wire.Signatures;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.random.RandomGenerator;

/// One HTTP/2 connection to workers, from the attempt to make it to the end of its last call; it is
/// never made a second time. Used by the event loop.
///
/// A connection may be dead without either end being told: what is between forgot it, or the other
/// machine is gone. One that has been idle is not used again, and one in use fails soon after it
/// stops to take data. HTTP/2 pings would find the same, but servers count them: those of grpcio
/// and grpc-java close a connection that is pinged more often than every five minutes while it
/// carries nothing else, and with it the calls that take long (gRFC A8).
final class WorkerConnection {
  /// What the library says of each answer that it gave up; the engine is told of it anyway.
  private static final Logger NOISE = Logger.getLogger("io.grpc.internal.AbstractClientStream");

  static {
    NOISE.setLevel(Level.WARNING);
  }

  /// How long what was sent may stay without acknowledgement by the other side's TCP. Four
  /// retransmissions are lost by then.
  private static final int UNACKNOWLEDGED_MILLIS = 2_000;

  /// The largest answer of a worker, which is empty in the contract.
  private static final int MAX_ANSWER_BYTES = 64 << 10;

  private static final long PAUSE_MIN_NANOS = 20_000_000;
  private static final long PAUSE_MAX_NANOS = 1_000_000_000;

  /// The longest pause where each call costs an at-most-once activation its only run.
  private static final long PAUSE_ONCE_NANOS = 30_000_000_000L;

  final Target target;

  /// When it is to be replaced, as [System#nanoTime] counts.
  final long retireAt;

  private final ManagedChannel channel;
  private final Executor loop;
  private final Consumer<WorkerConnection> told;
  private boolean made;
  private boolean ready;
  private boolean closing;
  private int calls;

  /// How many calls it is given while others have room.
  private int room;

  private int refusals;
  private long pausedAt;
  private long pausedUntil;
  private long answeredAt;

  /// Begins to connect.
  ///
  /// @param told called in the loop when it is ready, and when it is not any more
  WorkerConnection(
      WorkerAddress worker,
      Target target,
      PushOptions options,
      EventLoopGroup loops,
      Executor loop,
      long retireAt,
      boolean trusted,
      Consumer<WorkerConnection> told) {
    this.target = target;
    this.retireAt = retireAt;
    this.room = trusted ? Integer.MAX_VALUE : 1;
    this.loop = loop;
    this.told = told;
    this.pausedUntil = System.nanoTime();
    this.pausedAt = pausedUntil;
    this.answeredAt = pausedUntil;
    this.channel = channel(worker, target, options, loops);
    channel.getState(true);
    watch(channel.getState(false));
  }

  private static ManagedChannel channel(
      WorkerAddress worker, Target target, PushOptions options, EventLoopGroup loops) {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(target.address)
            .overrideAuthority(worker.authority())
            .eventLoopGroup(loops)
            .channelType(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
            .directExecutor()
            // A call that may have arrived must not be sent again by anybody but the engine (H9).
            .disableRetry()
            .disableServiceConfigLookUp()
            .maxInboundMessageSize(MAX_ANSWER_BYTES)
            .neverIndexMetadataKey(
                Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER))
            .idleTimeout(options.connections().idle().toMillis(), MILLISECONDS);
    if (Epoll.isAvailable()) {
      builder.withOption(EpollChannelOption.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLIS);
    }
    if (worker.tls()) {
      builder.sslContext(options.tls().orElseThrow());
    } else {
      builder.usePlaintext();
    }
    return builder.build();
  }

  private void watch(ConnectivityState seen) {
    channel.notifyWhenStateChanged(seen, () -> loop.execute(this::look));
  }

  private void look() {
    if (closing) {
      return;
    }
    ConnectivityState state = channel.getState(false);
    if (state == ConnectivityState.CONNECTING) {
      watch(state);
      return;
    }
    ready = state == ConnectivityState.READY;
    if (ready) {
      made = true;
      watch(state);
    }
    told.accept(this);
  }

  /// Whether it was made once.
  boolean isMade() {
    return made;
  }

  /// Whether it is made, and not known to be gone.
  boolean isReady() {
    return ready;
  }

  int calls() {
    return calls;
  }

  /// Whether calls should rather go elsewhere.
  boolean isPaused(long now) {
    return now - pausedUntil < 0 || calls >= room;
  }

  /// When it was paused last.
  long pausedAt() {
    return pausedAt;
  }

  /// What calls are made on.
  Channel channel() {
    return channel;
  }

  /// One more call is sent on it.
  void begin() {
    calls++;
  }

  /// A call ended, however.
  void end() {
    calls--;
    closeIfDone();
  }

  /// A worker took an activation.
  void accepted(long now) {
    answeredAt = now;
    room = Integer.MAX_VALUE;
    refusals = 0;
    pausedUntil = now;
  }

  /// Something was heard.
  void answered(long now) {
    answeredAt = now;
  }

  /// Whether nothing was heard since a time.
  boolean isSilentSince(long time) {
    return answeredAt - time < 0;
  }

  /// A worker refused, so that others are tried first for a while.
  ///
  /// @param costly whether a call costs an at-most-once activation its only run
  void pause(boolean costly, long now, RandomGenerator random) {
    answeredAt = now;
    pausedAt = now;
    if (now - pausedUntil >= 0) {
      long max = costly ? PAUSE_ONCE_NANOS : PAUSE_MAX_NANOS;
      long longest = Math.min(max, PAUSE_MIN_NANOS << Math.min(refusals, 11));
      refusals++;
      pausedUntil = now + longest / 2 + random.nextLong(longest / 2 + 1);
    }
  }

  /// Closes when the calls that are under way have ended.
  void close() {
    closing = true;
    ready = false;
    closeIfDone();
  }

  private void closeIfDone() {
    if (closing && calls == 0) {
      channel.shutdown();
    }
  }

  /// Closes at once.
  void abort() {
    channel.shutdownNow();
  }
}
