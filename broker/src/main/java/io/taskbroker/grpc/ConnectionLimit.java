package io.taskbroker.grpc;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;

/// Closes new connections while there are as many as there may be (G7). Used by one event loop.
final class ConnectionLimit extends ChannelInboundHandlerAdapter {
  private final RareWarning warning = new RareWarning(ConnectionLimit.class);
  private final RareWarning handshakes = new RareWarning(HandshakeWatch.class);
  private final int limit;
  private int open;

  ConnectionLimit(int limit) {
    this.limit = limit;
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    Channel connection = (Channel) message;
    if (open >= limit) {
      connection.unsafe().closeForcibly();
      warning.log("Refused a gRPC connection: there are {} already", limit);
      return;
    }
    open++;
    connection.closeFuture().addListener(closed -> context.executor().execute(() -> open--));
    connection.pipeline().addLast(new HandshakeWatch(handshakes));
    context.fireChannelRead(message);
  }
}
