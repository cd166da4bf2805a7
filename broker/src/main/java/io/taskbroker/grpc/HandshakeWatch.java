package io.taskbroker.grpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslHandler;
import java.net.SocketAddress;
import java.nio.channels.ClosedChannelException;

/// Logger of failed TLS handshakes: a wrong certificate is otherwise visible to the client only, or
/// to nobody. One per connection; when the handshake begins, a [FrameGuard] replaces it, which
/// reads the decrypted bytes.
final class HandshakeWatch extends ChannelInboundHandlerAdapter {
  private static final int REASON_CHARS = 300;

  private final RareWarning warning;

  private final Connections connections;
  private final Peer peer;

  HandshakeWatch(RareWarning warning, Connections connections, Peer peer) {
    this.warning = warning;
    this.connections = connections;
    this.peer = peer;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    // The library now adds its TLS handler.
    context.fireChannelActive();
    var guard = new FrameGuard(connections.opened(context.channel(), peer));
    ChannelHandlerContext tlsContext = context.pipeline().context(SslHandler.class);
    if (tlsContext == null) {
      context.pipeline().replace(this, null, guard);
    } else {
      context.pipeline().addAfter(tlsContext.name(), null, guard);
      context.pipeline().remove(this);
      SslHandler tls = (SslHandler) tlsContext.handler();
      SocketAddress address = context.channel().remoteAddress();
      tls.handshakeFuture()
          .addListener(handshake -> {
            // A peer that closes without sending anything is a port probe.
            if (!handshake.isSuccess() && !(handshake.cause() instanceof ClosedChannelException)) {
              warning.log("Refused a gRPC connection: {}", describe(address, handshake.cause()));
            }
          });
    }
  }

  /// One-line description, truncated and without control characters or the peer's plaintext.
  private static String describe(SocketAddress peer, Throwable cause) {
    String reason =
        cause instanceof NotSslRecordException
            ? "it does not speak TLS"
            : String.valueOf(cause.getMessage());
    String line = reason.lines().findFirst().orElse("").replaceAll("\\p{Cntrl}", " ");
    return "the TLS handshake with %s failed: %s"
        .formatted(peer, line.substring(0, Math.min(line.length(), REASON_CHARS)));
  }
}
