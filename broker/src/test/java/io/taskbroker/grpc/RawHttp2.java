package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;

/// Minimal HTTP/2 encoder for frames that no gRPC library would send.
final class RawHttp2 {
  private static final int DATA = 0;
  private static final int HEADERS = 1;
  private static final int RST_STREAM = 3;
  private static final int END_STREAM = 1;

  private RawHttp2() {}

  static byte[] frame(int type, int flags, int stream, byte[] payload) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(payload.length >> 16);
    out.write(payload.length >> 8);
    out.write(payload.length);
    out.write(type);
    out.write(flags);
    out.write(stream >> 24);
    out.write(stream >> 16);
    out.write(stream >> 8);
    out.write(stream);
    out.writeBytes(payload);
    return out.toByteArray();
  }

  /// Headers of a gRPC call, as HPACK literals.
  static byte[] requestHeaders(String path) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    header(out, ":method", "POST");
    header(out, ":scheme", "http");
    header(out, ":path", path);
    header(out, ":authority", "localhost");
    header(out, "te", "trailers");
    header(out, "content-type", "application/grpc");
    return out.toByteArray();
  }

  /// Whether the server ended the stream, rather than only the connection.
  static boolean readUntilStreamEnds(InputStream in, int stream) throws IOException {
    DataInputStream data = new DataInputStream(in);
    try {
      while (true) {
        int length = data.readUnsignedByte() << 16 | data.readUnsignedShort();
        int type = data.readUnsignedByte();
        int flags = data.readUnsignedByte();
        int of = data.readInt();
        data.skipNBytes(length);
        boolean ends = (type == DATA || type == HEADERS) && (flags & END_STREAM) != 0;
        if (of == stream && (ends || type == RST_STREAM)) {
          return true;
        }
      }
    } catch (EOFException _) {
      return false;
    }
  }

  private static void header(ByteArrayOutputStream out, String name, String value) {
    out.write(0);
    out.write(name.length());
    out.writeBytes(name.getBytes(US_ASCII));
    out.write(value.length());
    out.writeBytes(value.getBytes(US_ASCII));
  }
}
