package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.Channel;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.epoll.Epoll;
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
final class Endpoint {
  /// What the library says, with a stack trace, whenever a name cannot be resolved; the engine is
  /// told of it anyway.
  private static final Logger NOISE = Logger.getLogger("io.grpc.internal.ManagedChannelImpl");

  static {
    NOISE.setLevel(Level.SEVERE);
    HostResolver.register();
  }

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
            .keepAliveTime(30, SECONDS)
            .keepAliveTimeout(10, SECONDS);
    if (address.tls()) {
      builder.sslContext(options.tls().orElseThrow());
    } else {
      builder.usePlaintext();
    }
    return builder.build();
  }
}
