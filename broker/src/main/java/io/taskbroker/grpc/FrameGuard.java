package io.taskbroker.grpc;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Exception.ShutdownHint;
import io.netty.handler.codec.http2.Http2FrameTypes;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.collection.IntObjectHashMap;
import io.netty.util.collection.IntObjectMap;
import io.taskbroker.grpc.ConnectionCounts.Closing;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Inbound frame limiter of one connection, in front of the HTTP/2 codec, which itself limits only
/// header blocks and resets. Frames that carry no work (RST_STREAM, SETTINGS, PING, PRIORITY,
/// WINDOW_UPDATE, CONTINUATION, tiny DATA) are charged to an allowance that grows with time and
/// with each response; each frame must be completed in time; incomplete requests are bounded by a
/// budget. A peer that exceeds a limit gets GOAWAY with ENHANCE_YOUR_CALM and is closed (G7, G8).
/// Inspects the nine header bytes of each frame and copies nothing. Confined to the loop of its
/// connection.
final class FrameGuard extends ChannelDuplexHandler {
  private static final int PREFACE_BYTES = 24;
  private static final int HEADER_BYTES = 9;
  private static final int RESET_BYTES = 13;
  private static final int GOAWAY_BYTES = 17;
  private static final int END_STREAM = 1;
  private static final int PADDED = 8;
  private static final int FRAME_LIMIT = 1 << 20;
  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int TINY_DATA_BYTES = 256;
  private static final int MAX_INCOMPLETE_STREAMS = 4_096;
  private static final long GOAWAY_MILLIS = 1_000;

  /// Maximum size of a connection's HPACK table; also the protocol's initial size.
  private static final int HEADER_TABLE_BYTES = 4_096;

  /// Cost of a frame, by the work that it causes beyond reading it.
  private static final int CHEAP = 1;

  private static final int CAUSES_REPLY = 5;
  private static final int RESET = 10;
  private static final int SETTINGS = 20;

  private final Connection connection;
  private final byte[] header = new byte[HEADER_BYTES];
  private int headerBytes;
  private int skip = PREFACE_BYTES;
  private boolean inHeaders;

  /// Whether a SETTINGS frame of the peer is being or about to be decoded.
  private boolean settings;

  private boolean timing;
  private int cost;
  private int frames;
  private boolean closing;

  /// Incomplete requests, by stream.
  private @Nullable IntObjectMap<IncompleteRequest> incomplete;

  /// The request whose DATA frame is being scanned; null if there is none.
  private @Nullable IncompleteRequest messages;

  FrameGuard(Connection connection) {
    this.connection = connection;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext context) {
    connection.guardedBy(context);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    closing = true;
    connection.running().frames().end(connection.frameDeadline);
    releaseIncomplete();
    context.fireChannelInactive();
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    if (closing || !(message instanceof ByteBuf bytes)) {
      ReferenceCountUtil.release(message);
      return;
    }
    cost = 0;
    frames = 0;
    scan(bytes);
    Closing reason = violation();
    if (reason != null) {
      bytes.release();
      close(context, reason);
      return;
    }
    timeFrame();
    context.fireChannelRead(bytes);
    if (settings) {
      settings = skip > 0;
      boundHeaderTable(context);
    }
  }

  /// Limits the HPACK table of responses: the library accepts any size that the peer offers, and
  /// the peer controls response texts, which name the method that it called.
  private static void boundHeaderTable(ChannelHandlerContext context) {
    Http2ConnectionHandler codec = context.pipeline().get(Http2ConnectionHandler.class);
    if (codec == null) {
      return;
    }
    var headers = codec.encoder().configuration().headersConfiguration();
    try {
      if (headers.maxHeaderTableSize() > HEADER_TABLE_BYTES) {
        headers.maxHeaderTableSize(HEADER_TABLE_BYTES);
      }
    } catch (Http2Exception e) {
      throw new IllegalStateException("An HPACK table may have any size", e);
    }
  }

  private void scan(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (at < end) {
      if (skip > 0) {
        int passed = Math.min(skip, end - at);
        skip -= passed;
        if (messages != null) {
          release(messages.scan(bytes, at, passed, skip));
        }
        at += passed;
      } else {
        header[headerBytes++] = bytes.getByte(at++);
        if (headerBytes == HEADER_BYTES) {
          headerBytes = 0;
          frame();
        }
      }
    }
  }

  /// Handles the header of a frame.
  private void frame() {
    int length = (header[0] & 0xFF) << 16 | (header[1] & 0xFF) << 8 | (header[2] & 0xFF);
    int flags = header[4];
    skip = length;
    messages = null;
    frames++;
    switch (header[3]) {
      case Http2FrameTypes.DATA -> data(length, flags);
      case Http2FrameTypes.HEADERS -> {
        inHeaders = (flags & END_HEADERS) == 0;
        if ((flags & END_STREAM) != 0) {
          complete(stream());
        } else {
          var _ = request(stream());
        }
      }
      case Http2FrameTypes.CONTINUATION -> {
        inHeaders = (flags & END_HEADERS) == 0;
        cost += CHEAP;
      }
      case Http2FrameTypes.RST_STREAM -> {
        cost += RESET;
        complete(stream());
      }
      case Http2FrameTypes.SETTINGS -> {
        cost += (flags & ACK) != 0 ? CHEAP : SETTINGS;
        settings = true;
      }
      case Http2FrameTypes.PING -> cost += (flags & ACK) != 0 ? CHEAP : CAUSES_REPLY;
      case Http2FrameTypes.WINDOW_UPDATE -> cost += CHEAP;
      default -> cost += CAUSES_REPLY;
    }
  }

  private void data(int length, int flags) {
    if ((flags & END_STREAM) != 0) {
      complete(stream());
      return;
    }
    if (length < TINY_DATA_BYTES) {
      cost += length == 0 ? CAUSES_REPLY : CHEAP;
    }
    IncompleteRequest request = request(stream());
    request.received(length);
    connection.peer().requests().take(length);
    if ((flags & PADDED) != 0) {
      request.pad();
    }
    messages = request;
    cost += request.isObscure() ? FRAME_LIMIT : 0;
  }

  private IncompleteRequest request(int stream) {
    IntObjectMap<IncompleteRequest> streams = incomplete;
    if (streams == null) {
      streams = new IntObjectHashMap<>();
      incomplete = streams;
    }
    IncompleteRequest request = streams.get(stream);
    if (request == null) {
      request = new IncompleteRequest();
      streams.put(stream, request);
    }
    return request;
  }

  private void release(int bytes) {
    if (bytes > 0) {
      connection.peer().requests().give(bytes);
    }
  }

  private int stream() {
    return (header[5] & 0x7F) << 24
        | (header[6] & 0xFF) << 16
        | (header[7] & 0xFF) << 8
        | (header[8] & 0xFF);
  }

  private void complete(int stream) {
    IntObjectMap<IncompleteRequest> streams = incomplete;
    if (streams != null) {
      IncompleteRequest request = streams.remove(stream);
      if (request != null) {
        release(request.held());
      }
    }
  }

  private void releaseIncomplete() {
    IntObjectMap<IncompleteRequest> streams = incomplete;
    if (streams != null) {
      incomplete = null;
      streams.values().forEach(request -> release(request.held()));
    }
  }

  private @Nullable Closing violation() {
    if (cost > 0 && connection.overspends(cost, System.nanoTime())) {
      return Closing.FRAMES;
    }
    IntObjectMap<IncompleteRequest> streams = incomplete;
    if (streams == null || streams.isEmpty()) {
      return null;
    }
    boolean many = streams.size() > MAX_INCOMPLETE_STREAMS;
    return many || !connection.peer().requests().hasRoom() ? Closing.REQUESTS : null;
  }

  /// Starts or stops the deadline of a frame, or of a call's headers, that has begun.
  private void timeFrame() {
    boolean begun = skip > 0 || headerBytes > 0 || inHeaders;
    if (timing && (!begun || (frames > 0 && !inHeaders))) {
      timing = false;
      connection.running().frames().end(connection.frameDeadline);
    }
    if (begun && !timing) {
      timing = true;
      connection.running().frames().begin(connection.frameDeadline);
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes) {
      int length = bytes.readableBytes();
      if (length == HEADER_BYTES || length == RESET_BYTES) {
        wrote(bytes);
      } else if (length == GOAWAY_BYTES && isAbuseGoAway(bytes)) {
        closing = true;
        connection.closing(Closing.ABUSE);
        closeSoon(context);
      }
    }
    var _ = context.write(message, promise);
  }

  /// Inspects an outbound frame header, which the library writes in a buffer of its own. Message
  /// bytes that look like one do no harm: they only make a peer look better.
  private void wrote(ByteBuf frame) {
    int at = frame.readerIndex();
    byte type = frame.getByte(at + 3);
    if (type == Http2FrameTypes.DATA) {
      connection.wrote(frame.getUnsignedMedium(at));
    } else if (type == Http2FrameTypes.HEADERS && (frame.getByte(at + 4) & END_STREAM) == 0) {
      // Only a stream of messages is answered before its request is complete.
      IntObjectMap<IncompleteRequest> streams = incomplete;
      IncompleteRequest request =
          streams == null ? null : streams.get(frame.getInt(at + 5) & Integer.MAX_VALUE);
      if (request != null && !request.isStream()) {
        release(request.becomeStream());
      }
    } else if (incomplete != null
        && (type == Http2FrameTypes.RST_STREAM
            || (type == Http2FrameTypes.HEADERS && (frame.getByte(at + 4) & END_STREAM) != 0))) {
      // The server ended a call, perhaps before its request was complete.
      complete(frame.getInt(at + 5) & Integer.MAX_VALUE);
    }
  }

  /// Whether these are the first bytes of a GOAWAY with ENHANCE_YOUR_CALM, by which the library
  /// reports abuse.
  private static boolean isAbuseGoAway(ByteBuf frame) {
    int at = frame.readerIndex();
    return frame.getByte(at + 3) == Http2FrameTypes.GO_AWAY
        && frame.getInt(at + 5) == 0
        && frame.getInt(at + 13) == Http2Error.ENHANCE_YOUR_CALM.code();
  }

  private void close(ChannelHandlerContext context, Closing reason) {
    if (connection.closing(reason)) {
      closing = true;
      connection.running().frames().end(connection.frameDeadline);
      closeSoon(context);
      context.fireExceptionCaught(
          new Http2Exception(
              Http2Error.ENHANCE_YOUR_CALM, reason.text(), ShutdownHint.HARD_SHUTDOWN));
    }
  }

  /// Closes the connection after a short time in which the peer can read the GOAWAY.
  private static void closeSoon(ChannelHandlerContext context) {
    var _ =
        context
            .executor()
            .schedule(
                () -> {
                  var _ = context.close();
                },
                GOAWAY_MILLIS,
                TimeUnit.MILLISECONDS);
  }
}
