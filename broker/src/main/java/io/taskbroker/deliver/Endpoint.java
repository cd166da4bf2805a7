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
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The workers of one application behind one address, reached by one HTTP/2 connection. Used by the
/// event loop.
///
/// A channel that could not connect waits longer and longer before it tries again, and fails all
/// calls meanwhile. How often to try is the engine's business, so such a channel is replaced: the
/// next call connects at once, and is answered if the worker is back.
///
/// A connection may be dead without either end being told: what is between forgot it, or the other
/// machine is gone. One that has been idle is not used again, and one in use fails soon after it
/// stops to take data. HTTP/2 pings would find the same, but servers count them: those of grpcio
/// and grpc-java close a connection that is pinged more often than every five minutes while it
/// carries nothing else, and with it the calls that take long (gRFC A8).
final class Endpoint {
  /// What the library says, with a stack trace, whenever a name cannot be resolved; the engine is
  /// told of it anyway.
  private static final Logger NOISE = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  static {
    NOISE.setLevel(Level.SEVERE);
    HostResolver.register();
  }

  /// How long what was sent may stay without acknowledgement by the other side's TCP. Four
  /// retransmissions are lost by then.
  private static final int UNACKNOWLEDGED_MILLIS = 2_000;

  private final WorkerAddress address;
  private final PushOptions options;
  private final EventLoopGroup loops;
  private ManagedChannel channel;
  private boolean failed;

  Endpoint(WorkerAddress address, PushOptions options, EventLoopGroup loops) {
    this.address = address;
    this.options = options;
    this.loops = loops;
    this.channel = open();
  }

  /// Begins to connect, so that the first call need not wait for it.
  void connect() {
    channel.getState(true);
  }

  Channel channel() {
    ConnectivityState state = channel.getState(false);
    if (state == ConnectivityState.TRANSIENT_FAILURE
        || (failed && state != ConnectivityState.READY)) {
      // Calls on an older connection that is about to close go on.
      channel.shutdown();
      channel = open();
    }
    failed = false;
    return channel;
  }

  /// A call did not get through. The channel tells its calls so before it takes the state that says
  /// it.
  void failed(@Nullable Channel used) {
    failed |= channel.equals(used);
  }

  void close() {
    channel.shutdownNow();
  }

  private ManagedChannel open() {
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget(HostResolver.target(address))
            .overrideAuthority(address.authority())
            .eventLoopGroup(loops)
            .channelType(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class)
            .directExecutor()
            // A call that may have arrived must not be sent again by anybody but the engine (H9).
            .disableRetry()
            .disableServiceConfigLookUp()
            .maxInboundMessageSize(options.maxMessageBytes())
            .neverIndexMetadataKey(
                Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER))
            .idleTimeout(options.idle().toMillis(), MILLISECONDS);
    if (Epoll.isAvailable()) {
      builder.withOption(EpollChannelOption.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MILLIS);
    }
    if (address.tls()) {
      builder.sslContext(options.tls().orElseThrow());
    } else {
      builder.usePlaintext();
    }
    return builder.build();
  }
}
