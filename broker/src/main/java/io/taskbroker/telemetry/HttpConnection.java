package io.taskbroker.telemetry;

import static io.netty.handler.codec.http.HttpHeaderNames.CONNECTION;
import static io.netty.handler.codec.http.HttpHeaderValues.CLOSE;
import static java.util.concurrent.TimeUnit.NANOSECONDS;

import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Handler of one HTTP connection. It answers one request at a time, and closes the connection when
/// a request does not arrive, or a response is not read, in time (G7). A pipelined request and a
/// request with a body close the connection after the response. Confined to its event loop.
final class HttpConnection extends SimpleChannelInboundHandler<HttpObject> {
  private static final Logger LOGGER = LoggerFactory.getLogger(HttpConnection.class);

  private final MetricsPages pages;
  private final MetricsServer.Limits limits;
  private @Nullable Future<?> deadline;
  private boolean answering;
  private boolean last;

  HttpConnection(MetricsPages pages, MetricsServer.Limits limits) {
    this.pages = pages;
    this.limits = limits;
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    armDeadline(context, limits.request());
    context.fireChannelActive();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    cancelDeadline();
    context.fireChannelInactive();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
    if (!(message instanceof HttpRequest request)) {
      return; // request bodies are ignored
    }
    if (answering || last) {
      last = true;
      return;
    }
    last =
        request.decoderResult().isFailure()
            || !HttpUtil.isKeepAlive(request)
            || HttpUtil.isTransferEncodingChunked(request)
            || HttpUtil.isContentLengthSet(request);
    answer(context, pages.answer(request));
  }

  private void answer(ChannelHandlerContext context, FullHttpResponse answer) {
    if (last) {
      answer.headers().set(CONNECTION, CLOSE);
    }
    answering = true;
    armDeadline(context, limits.answer());
    context.writeAndFlush(answer).addListener((ChannelFuture sent) -> answered(context, sent));
  }

  private void answered(ChannelHandlerContext context, ChannelFuture sent) {
    answering = false;
    if (last || !sent.isSuccess()) {
      var _ = context.close();
    } else {
      armDeadline(context, limits.idle());
    }
  }

  /// The peer has closed its output, but may still read.
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof ChannelInputShutdownEvent) {
      last = true;
      if (!answering) {
        var _ = context.close();
      }
    }
    context.fireUserEventTriggered(event);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      LOGGER.warn(
          "Cannot answer a metrics or health request from {}; closing the connection",
          context.channel().remoteAddress(),
          cause);
    }
    var _ = context.close();
  }

  /// Closes the connection unless [#cancelDeadline] is called within that time.
  private void armDeadline(ChannelHandlerContext context, Duration within) {
    cancelDeadline();
    deadline =
        context
            .executor()
            .schedule(
                () -> {
                  var _ = context.close();
                },
                NANOSECONDS.convert(within),
                NANOSECONDS);
  }

  private void cancelDeadline() {
    Future<?> running = deadline;
    if (running != null) {
      running.cancel(false);
      deadline = null;
    }
  }
}
