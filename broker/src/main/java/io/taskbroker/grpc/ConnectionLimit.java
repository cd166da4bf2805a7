package io.taskbroker.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFactory;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.taskbroker.grpc.ConnectionCounts.Refusal;
import java.net.InetSocketAddress;
import org.jspecify.annotations.Nullable;

/// Connection limiter: closes new connections above the total limit or the limit per peer, and
/// those of a peer that exceeds its connection rate (G7). Confined to the accepting loop.
final class ConnectionLimit extends ChannelInboundHandlerAdapter {
  private final RareWarning handshakes = new RareWarning(HandshakeWatch.class);
  private final Connections connections;
  private final int limit;
  private final int perPeer;
  private int open;

  private ConnectionLimit(Connections connections, int limit, int perPeer) {
    this.connections = connections;
    this.limit = limit;
    this.perPeer = perPeer;
  }

  /// Factory of listening sockets that enforce the limits.
  static ChannelFactory<ServerChannel> listening(
      Connections connections, GrpcOptions.Limits limits) {
    return () -> {
      ServerChannel channel =
          Epoll.isAvailable() ? new EpollServerSocketChannel() : new NioServerSocketChannel();
      channel
          .pipeline()
          .addLast(new ConnectionLimit(connections, limits.connections(), limits.perPeer()));
      return channel;
    };
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel channel = (Channel) message;
    if (!(channel.remoteAddress() instanceof InetSocketAddress address)) {
      channel.unsafe().closeForcibly(); // closed before it was accepted
      return;
    }
    long now = System.nanoTime();
    Peer peer = connections.peer(address, now);
    Refusal refusal = refusal(peer, now);
    if (refusal != null) {
      channel.unsafe().closeForcibly();
      connections.counts().refused(refusal, address.getAddress().getHostAddress());
      return;
    }
    open++;
    peer.opened();
    connections.counts().opened();
    channel
        .closeFuture()
        .addListener(_ -> {
          peer.closed();
          connections.counts().ended();
          context.executor().execute(() -> open--);
        });
    channel.pipeline().addLast(new HandshakeWatch(handshakes, connections, peer));
    context.fireChannelRead(message);
  }

  private @Nullable Refusal refusal(Peer peer, long now) {
    if (open >= limit) {
      return Refusal.TOTAL;
    }
    if (peer.open() >= perPeer) {
      return Refusal.PEER;
    }
    return peer.connectsTooFast(now) ? Refusal.RATE : null;
  }
}
