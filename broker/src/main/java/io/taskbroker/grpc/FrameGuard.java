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

/// Accountant of the frames of one connection, in front of the HTTP/2 codec, which itself bounds
/// header blocks and resets only. Frames that are no work (RST_STREAM, SETTINGS, PING, PRIORITY,
/// WINDOW_UPDATE, CONTINUATION, DATA in crumbs) are paid from an allowance that grows with time and
/// with each answer; a frame must come in full in time; requests that have not come in full are
/// bounded by a budget. Whoever exceeds that gets GOAWAY with ENHANCE_YOUR_CALM and is closed (G7,
/// G8). Looks at the nine bytes of each frame's header and copies nothing. Confined to the loop of
/// its connection.
final class FrameGuard extends ChannelDuplexHandler {
  private static final int PREFACE_BYTES = 24;
  private static final int HEADER_BYTES = 9;
  private static final int RESET_BYTES = 13;
  private static final int GOAWAY_BYTES = 17;
  private static final int END_STREAM = 1;
  private static final int ACK = 1;
  private static final int END_HEADERS = 4;
  private static final int CRUMB_BYTES = 256;
  private static final int MAX_INCOMPLETE_STREAMS = 4_096;
  private static final long LAST_WORDS_MILLIS = 1_000;

  /// What a connection remembers of headers at most; also the size that the protocol begins with.
  private static final int HEADER_TABLE_BYTES = 4_096;

  /// What a frame costs, by what it makes the server do beyond reading it.
  private static final int CHEAP = 1;

  private static final int ANSWERED = 5;
  private static final int RESET = 10;
  private static final int SETTINGS = 20;

  private final Connection connection;
  private final byte[] header = new byte[HEADER_BYTES];
  private int headerBytes;
  private int skip = PREFACE_BYTES;
  private boolean inHeaders;

  /// Settings of the peer are read, or are about to be.
  private boolean settings;

  private boolean waits;
  private int cost;
  private int frames;
  private boolean closing;

  /// What came of requests that have not come in full, by stream.
  private @Nullable IntObjectMap<int[]> incomplete;

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
    Closing reason = verdict();
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

  /// The library remembers as many headers of answers as the peer offers to remember, and texts of
  /// answers are as the peer likes: they name the method that it called.
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
      throw new IllegalStateException("A table of headers can be of any size", e);
    }
  }

  private void scan(ByteBuf bytes) {
    int at = bytes.readerIndex();
    int end = bytes.writerIndex();
    while (at < end) {
      if (skip > 0) {
        int passed = Math.min(skip, end - at);
        skip -= passed;
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

  /// A frame begins.
  private void frame() {
    int length = (header[0] & 0xFF) << 16 | (header[1] & 0xFF) << 8 | (header[2] & 0xFF);
    int flags = header[4];
    skip = length;
    frames++;
    switch (header[3]) {
      case Http2FrameTypes.DATA -> data(length, (flags & END_STREAM) != 0);
      case Http2FrameTypes.HEADERS -> {
        inHeaders = (flags & END_HEADERS) == 0;
        if ((flags & END_STREAM) != 0) {
          complete(stream());
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
      case Http2FrameTypes.PING -> cost += (flags & ACK) != 0 ? CHEAP : ANSWERED;
      case Http2FrameTypes.WINDOW_UPDATE -> cost += CHEAP;
      default -> cost += ANSWERED;
    }
  }

  private void data(int length, boolean last) {
    if (last) {
      complete(stream());
      return;
    }
    if (length < CRUMB_BYTES) {
      cost += length == 0 ? ANSWERED : CHEAP;
    }
    IntObjectMap<int[]> streams = incomplete;
    if (streams == null) {
      streams = new IntObjectHashMap<>();
      incomplete = streams;
    }
    int[] held = streams.get(stream());
    if (held == null) {
      held = new int[1];
      streams.put(stream(), held);
    }
    held[0] += length;
    connection.peer().requests().take(length);
  }

  private int stream() {
    return (header[5] & 0x7F) << 24
        | (header[6] & 0xFF) << 16
        | (header[7] & 0xFF) << 8
        | (header[8] & 0xFF);
  }

  private void complete(int stream) {
    IntObjectMap<int[]> streams = incomplete;
    if (streams != null) {
      int[] held = streams.remove(stream);
      if (held != null) {
        connection.peer().requests().give(held[0]);
      }
    }
  }

  private void releaseIncomplete() {
    IntObjectMap<int[]> streams = incomplete;
    if (streams != null) {
      incomplete = null;
      streams.values().forEach(held -> connection.peer().requests().give(held[0]));
    }
  }

  private @Nullable Closing verdict() {
    if (cost > 0 && connection.overspends(cost, System.nanoTime())) {
      return Closing.FRAMES;
    }
    IntObjectMap<int[]> streams = incomplete;
    if (streams == null || streams.isEmpty()) {
      return null;
    }
    boolean many = streams.size() > MAX_INCOMPLETE_STREAMS;
    return many || !connection.peer().requests().hasRoom() ? Closing.REQUESTS : null;
  }

  /// A frame, or the headers of a call, that has begun must come in full in time.
  private void timeFrame() {
    boolean begun = skip > 0 || headerBytes > 0 || inHeaders;
    if (waits && (!begun || (frames > 0 && !inHeaders))) {
      waits = false;
      connection.running().frames().end(connection.frameDeadline);
    }
    if (begun && !waits) {
      waits = true;
      connection.running().frames().begin(connection.frameDeadline);
    }
  }

  @Override
  public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
    if (message instanceof ByteBuf bytes) {
      int length = bytes.readableBytes();
      if (length == HEADER_BYTES || length == RESET_BYTES) {
        wrote(bytes);
      } else if (length == GOAWAY_BYTES && isComplaint(bytes)) {
        closing = true;
        connection.closing(Closing.ABUSE);
        closeSoon(context);
      }
    }
    var _ = context.write(message, promise);
  }

  /// The library writes the header of a frame by itself. Bytes of a message that look like one do
  /// no harm: they only make a peer look better.
  private void wrote(ByteBuf frame) {
    int at = frame.readerIndex();
    byte type = frame.getByte(at + 3);
    if (type == Http2FrameTypes.DATA) {
      connection.wrote(frame.getUnsignedMedium(at));
    } else if (incomplete != null
        && (type == Http2FrameTypes.RST_STREAM
            || (type == Http2FrameTypes.HEADERS && (frame.getByte(at + 4) & END_STREAM) != 0))) {
      // The server ended a call, perhaps before its request came in full.
      complete(frame.getInt(at + 5) & Integer.MAX_VALUE);
    }
  }

  /// Whether these are the first bytes of a GOAWAY with ENHANCE_YOUR_CALM, by which the library
  /// says that it had enough.
  private static boolean isComplaint(ByteBuf frame) {
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

  /// Whoever does not read the last word is closed without it.
  private static void closeSoon(ChannelHandlerContext context) {
    var _ =
        context
            .executor()
            .schedule(
                () -> {
                  var _ = context.close();
                },
                LAST_WORDS_MILLIS,
                TimeUnit.MILLISECONDS);
  }
}
