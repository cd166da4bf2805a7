package io.taskbroker.grpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.net.SocketAddress;

/// Tells of TLS handshakes that failed: what is wrong with a certificate is otherwise seen by the
/// other side only, or by nobody. One per connection; it leaves when the handshake begins.
final class HandshakeWatch extends ChannelInboundHandlerAdapter {
  private static final RareWarning FAILED = new RareWarning(HandshakeWatch.class);

  @Override
  public void channelActive(ChannelHandlerContext context) {
    // The library adds its handler of TLS now.
    context.fireChannelActive();
    SslHandler tls = context.pipeline().get(SslHandler.class);
    if (tls != null) {
      SocketAddress peer = context.channel().remoteAddress();
      tls.handshakeFuture()
          .addListener(handshake -> {
            if (!handshake.isSuccess()) {
              FAILED.log("Refused a gRPC connection: {}", describe(peer, handshake.cause()));
            }
          });
    }
    context.pipeline().remove(this);
  }

  /// One line without what the other side could do to a log.
  private static String describe(SocketAddress peer, Throwable cause) {
    String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
    return "the TLS handshake with %s failed: %s"
        .formatted(peer, reason.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", " "));
  }
}
