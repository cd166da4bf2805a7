package io.taskbroker.grpc;

import io.netty.channel.ChannelFactory;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.DefaultThreadFactory;

/// Factory of the server's event loops, using epoll where available.
final class EventLoops {
  private EventLoops() {}

  static EventLoopGroup open(String name, int threads) {
    IoHandlerFactory io =
        Epoll.isAvailable() ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    return new MultiThreadIoEventLoopGroup(threads, new DefaultThreadFactory(name, true), io);
  }

  /// Factory of listening sockets that enforce the connection limits.
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
}
