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

/// One connection of the HTTP server: answers one request at a time, and is closed when a request
/// does not come or an answer is not read in its time (G7). A request that is sent before the
/// answer to the last one was read, and the body of a request, close it behind the answer. Confined
/// to its event loop.
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
    expect(context, limits.request());
    context.fireChannelActive();
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    endDeadline();
    context.fireChannelInactive();
  }

  @Override
  protected void channelRead0(ChannelHandlerContext context, HttpObject message) {
    if (!(message instanceof HttpRequest request)) {
      return; // the body of a request, which is not looked into
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
    expect(context, limits.answer());
    context.writeAndFlush(answer).addListener((ChannelFuture sent) -> answered(context, sent));
  }

  private void answered(ChannelHandlerContext context, ChannelFuture sent) {
    answering = false;
    if (last || !sent.isSuccess()) {
      var _ = context.close();
    } else {
      expect(context, limits.idle());
    }
  }

  /// The other side sends no more, but may still read.
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
          "Cannot answer a request of {} for metrics or health: the connection is closed",
          context.channel().remoteAddress(),
          cause);
    }
    var _ = context.close();
  }

  /// The next thing must have happened within that time.
  private void expect(ChannelHandlerContext context, Duration within) {
    endDeadline();
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

  private void endDeadline() {
    Future<?> running = deadline;
    if (running != null) {
      running.cancel(false);
      deadline = null;
    }
  }
}
