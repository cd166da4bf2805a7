package io.taskbroker.grpc;

import static io.netty.handler.codec.http2.Http2CodecUtil.MAX_HEADER_TABLE_SIZE;
import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.http2.DefaultHttp2HeadersDecoder;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2Headers;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.LinkedHashMap;
import java.util.Map;

/// Raw client connection: sends arbitrary bytes, and reads the outcome of a stream.
final class RawConnection implements AutoCloseable {
  private static final byte[] PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(US_ASCII);
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int SETTINGS = 4;
  private static final int GOAWAY = 7;
  private static final int END_STREAM = 1;
  private static final int END_HEADERS = 4;

  private final Socket socket;
  private final DefaultHttp2HeadersDecoder decoder = new DefaultHttp2HeadersDecoder();

  RawConnection(int port) throws IOException {
    this(port, InetAddress.getLoopbackAddress(), new byte[0]);
  }

  /// Connection from another address of this machine.
  ///
  /// @param settings client settings, six bytes each
  RawConnection(int port, InetAddress from, byte[] settings) throws IOException {
    try {
      decoder.maxHeaderTableSize(MAX_HEADER_TABLE_SIZE);
    } catch (Http2Exception e) {
      throw new IllegalStateException(e);
    }
    socket = new Socket(InetAddress.getLoopbackAddress(), port, from, 0);
    socket.setSoTimeout(60_000);
    socket.getOutputStream().write(PREFACE);
    frame(SETTINGS, 0, 0, settings);
  }

  /// HPACK table size that the server announced, in bytes.
  long headersThatTheServerRemembers() {
    return decoder.maxHeaderTableSize();
  }

  /// Outcome of a stream.
  ///
  /// @param frames frames of the stream, by the first letters of their types: H, D
  /// @param headers all received headers, later ones replacing earlier ones
  /// @param end `trailers`, `reset N`, `goaway N` or `closed`
  record Outcome(String frames, Map<String, String> headers, String end) {
    /// gRPC status; empty if absent.
    String grpcStatus() {
      return headers.getOrDefault("grpc-status", "");
    }
  }

  /// Default headers of a call; an empty value omits a header.
  static Map<String, String> headers(String path) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put(":method", "POST");
    headers.put(":scheme", "http");
    headers.put(":path", path);
    headers.put(":authority", "localhost");
    headers.put("te", "trailers");
    headers.put("content-type", "application/grpc");
    return headers;
  }

  /// Message with the gRPC prefix.
  static byte[] message(int flag, int announced, byte[] body) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(flag);
    out.write(announced >> 24);
    out.write(announced >> 16);
    out.write(announced >> 8);
    out.write(announced);
    out.writeBytes(body);
    return out.toByteArray();
  }

  /// Makes a call on stream 1 and reads its outcome.
  Outcome call(Map<String, String> headers, byte[] body) throws IOException {
    open(headers);
    frame(DATA, END_STREAM, 1, body);
    return read();
  }

  /// Begins a call on stream 1.
  void open(Map<String, String> headers) throws IOException {
    frame(HEADERS, END_HEADERS, 1, block(headers));
  }

  void frame(int type, int flags, int stream, byte[] payload) throws IOException {
    send(RawHttp2.frame(type, flags, stream, payload));
  }

  void send(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
  }

  /// Headers as HPACK literals.
  static byte[] block(Map<String, String> headers) {
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    headers.forEach((name, value) -> {
      if (!value.isEmpty()) {
        block.write(0);
        text(block, name);
        text(block, value);
      }
    });
    return block.toByteArray();
  }

  /// Outcome of stream 1.
  Outcome read() throws IOException {
    return read(1);
  }

  /// Outcome of a stream; frames of other streams are skipped.
  Outcome read(int wanted) throws IOException {
    StringBuilder frames = new StringBuilder();
    Map<String, String> headers = new LinkedHashMap<>();
    DataInputStream in = new DataInputStream(socket.getInputStream());
    try {
      while (true) {
        int length = in.readUnsignedByte() << 16 | in.readUnsignedShort();
        int type = in.readUnsignedByte();
        int flags = in.readUnsignedByte();
        int stream = in.readInt();
        byte[] payload = in.readNBytes(length);
        if (type == GOAWAY) {
          return new Outcome(frames.toString(), headers, "goaway " + payload[7]);
        }
        // Headers of other streams are decoded, too: later headers may refer to them.
        Http2Headers decoded =
            type == HEADERS ? decoder.decodeHeaders(1, Unpooled.wrappedBuffer(payload)) : null;
        if (stream != wanted) {
          continue;
        }
        if (type == RST_STREAM) {
          return new Outcome(frames.toString(), headers, "reset " + payload[3]);
        }
        if (decoded != null) {
          decoded.forEach(
              header -> headers.put(header.getKey().toString(), header.getValue().toString()));
        }
        frames.append(type == HEADERS ? 'H' : 'D');
        if ((flags & END_STREAM) != 0) {
          return new Outcome(frames.toString(), headers, "trailers");
        }
      }
    } catch (EOFException | SocketException _) {
      return new Outcome(frames.toString(), headers, "closed");
    } catch (Http2Exception e) {
      throw new IOException("Cannot read headers", e);
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  /// Literal with a length of any size (RFC 7541, 5.1).
  private static void text(ByteArrayOutputStream out, String text) {
    int length = text.length();
    if (length < 0x7F) {
      out.write(length);
    } else {
      out.write(0x7F);
      int rest = length - 0x7F;
      while (rest >= 0x80) {
        out.write((rest & 0x7F) | 0x80);
        rest >>= 7;
      }
      out.write(rest);
    }
    out.writeBytes(text.getBytes(US_ASCII));
  }
}
