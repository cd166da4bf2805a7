package io.taskbroker.wire;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;

/// Byte stream of one message that a transport can drain with one copy. Not thread-safe.
public class MessageBytes extends InputStream {
  private static final byte[] NONE = {};

  private final byte[] bytes;
  private int position;

  public MessageBytes(byte[] bytes) {
    this.bytes = bytes;
  }

  /// Reads all bytes of a stream that usually announces its length by [InputStream#available].
  public static byte[] readAll(InputStream in) throws IOException {
    int announced = in.available();
    byte[] bytes = announced == 0 ? NONE : new byte[announced];
    int length = in.readNBytes(bytes, 0, announced);
    if (length < announced) {
      return Arrays.copyOf(bytes, length);
    }
    int next = in.read();
    if (next < 0) {
      return bytes;
    }
    byte[] rest = in.readAllBytes();
    byte[] all = Arrays.copyOf(bytes, length + 1 + rest.length);
    all[length] = (byte) next;
    System.arraycopy(rest, 0, all, length + 1, rest.length);
    return all;
  }

  /// Writes the remaining bytes.
  ///
  /// @return the number of bytes written
  public int drainTo(OutputStream target) throws IOException {
    int count = available();
    target.write(bytes, position, count);
    position = bytes.length;
    return count;
  }

  @Override
  public int available() {
    return bytes.length - position;
  }

  @Override
  public int read() {
    return position < bytes.length ? bytes[position++] & 0xFF : -1;
  }

  @Override
  public int read(byte[] to, int offset, int length) {
    if (length == 0) {
      return 0;
    }
    int count = Math.min(length, available());
    if (count == 0) {
      return -1;
    }
    System.arraycopy(bytes, position, to, offset, count);
    position += count;
    return count;
  }
}
