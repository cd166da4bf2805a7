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

/// HTTP/2 connection to workers, from the connection attempt to the end of its last call; never
/// reconnected. Used by the event loop.
///
/// A connection may be dead without either side noticing: a middlebox dropped it, or the remote
/// machine is gone. A connection that has been idle is not reused, and one in use fails soon after
/// its data is no longer acknowledged. HTTP/2 pings would detect the same, but servers limit them:
/// grpcio and grpc-java close a connection that is pinged more often than every five minutes while
/// it carries nothing else, and with it the calls that take long (gRFC A8).
final class WorkerConnection {
  /// Library logger that reports each abandoned response; the engine is notified of those anyway.
  private static final Logger CALL_LOGGER =
      Logger.getLogger("io.grpc.internal.AbstractClientStream");

  static {
    CALL_LOGGER.setLevel(Level.WARNING);
  }

  /// Time that sent data may remain unacknowledged by the remote TCP; four retransmissions are lost
  /// by then.
  private static final int UNACKNOWLEDGED_MILLIS = 2_000;

  /// Maximum response size; a response is empty in the contract.
  private static final int MAX_RESPONSE_BYTES = 64 << 10;

  private static final long PAUSE_MIN_NANOS = 20_000_000;
  private static final long PAUSE_MAX_NANOS = 1_000_000_000;

  /// Maximum pause if each call costs an at-most-once activation its only run.
  private static final long PAUSE_ONCE_NANOS = 30_000_000_000L;

  final Target target;

  /// Time of replacement, in [System#nanoTime].
  final long retireAt;

  private final ManagedChannel channel;
  private final Executor loop;
  private final Consumer<WorkerConnection> listener;
  private boolean established;
  private boolean ready;
  private boolean closing;
  private int calls;

  /// Calls that it gets while other connections have room.
  private int callLimit;

  private int refusals;
  private long pausedAt;
  private long pausedUntil;
  private long answeredAt;

  /// Starts connecting.
  ///
  /// @param listener called in the loop when the connection becomes ready, and when it no longer is
  WorkerConnection(
      WorkerAddress worker,
      Target target,
      PushOptions options,
      EventLoopGroup loops,
      Executor loop,
      long retireAt,
      boolean trusted,
      Consumer<WorkerConnection> listener) {
    this.target = target;
    this.retireAt = retireAt;
    this.callLimit = trusted ? Integer.MAX_VALUE : 1;
    this.loop = loop;
    this.listener = listener;
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
            // Only the engine may resend a call that may have arrived (H9).
            .disableRetry()
            .disableServiceConfigLookUp()
            .maxInboundMessageSize(MAX_RESPONSE_BYTES)
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
    channel.notifyWhenStateChanged(seen, () -> loop.execute(this::update));
  }

  private void update() {
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
      established = true;
      watch(state);
    }
    listener.accept(this);
  }

  /// Whether the connection has been established, perhaps closed since.
  boolean isEstablished() {
    return established;
  }

  /// Whether the connection is open, as far as known.
  boolean isReady() {
    return ready;
  }

  int calls() {
    return calls;
  }

  /// Whether calls should prefer other connections.
  boolean isPaused(long now) {
    return now - pausedUntil < 0 || calls >= callLimit;
  }

  /// Time of the last pause.
  long pausedAt() {
    return pausedAt;
  }

  /// Channel for calls.
  Channel channel() {
    return channel;
  }

  /// Counts a call sent on it.
  void begin() {
    calls++;
  }

  /// Counts the end of a call, whatever its outcome.
  void end() {
    calls--;
    closeIfDone();
  }

  /// Records that a worker accepted an activation.
  void accepted(long now) {
    answeredAt = now;
    callLimit = Integer.MAX_VALUE;
    refusals = 0;
    pausedUntil = now;
  }

  /// Records a response.
  void answered(long now) {
    answeredAt = now;
  }

  /// Whether nothing was received since the given time.
  boolean isSilentSince(long time) {
    return answeredAt - time < 0;
  }

  /// Pauses after a refusal, so that other connections are tried first for a while.
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

  /// Closes once its pending calls have ended.
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

  /// Closes immediately.
  void abort() {
    channel.shutdownNow();
  }
}
