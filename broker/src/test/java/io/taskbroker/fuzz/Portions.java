package io.taskbroker.fuzz;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;

/// The bytes that a fuzzer made, cut into portions, so that a target can have several arguments and
/// its corpus can be read all the same. Past the end there are zeros and empty portions. Not
/// thread-safe.
public final class Portions {
  private final byte[] input;
  private int at;

  public Portions(byte[] input) {
    this.input = input;
  }

  /// 0 to 255, in one byte.
  public int number() {
    return at < input.length ? input[at++] & 0xFF : 0;
  }

  /// Any number, in eight bytes.
  public long large() {
    return ByteBuffer.wrap(cut(8)).getLong();
  }

  /// Up to 255 bytes, behind a byte that says how many.
  public byte[] bytes() {
    int length = Math.min(number(), input.length - at);
    return cut(length);
  }

  /// The same as text; what is no UTF-8 is replaced.
  public String text() {
    return new String(bytes(), UTF_8);
  }

  public boolean isEmpty() {
    return at == input.length;
  }

  /// All that is left.
  public byte[] rest() {
    return cut(input.length - at);
  }

  private byte[] cut(int length) {
    byte[] portion = Arrays.copyOfRange(input, at, at + length);
    at = Math.min(input.length, at + length);
    return portion;
  }

  /// Writes portions, to begin with.
  public static final class Seed {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public Seed number(int number) {
      bytes.write(number);
      return this;
    }

    public Seed large(long number) {
      bytes.writeBytes(ByteBuffer.allocate(8).putLong(number).array());
      return this;
    }

    public Seed bytes(byte[] portion) {
      bytes.write(portion.length);
      bytes.writeBytes(portion);
      return this;
    }

    public Seed text(String portion) {
      return bytes(portion.getBytes(UTF_8));
    }

    public byte[] rest(byte[] portion) {
      bytes.writeBytes(portion);
      return bytes.toByteArray();
    }

    public byte[] rest(String portion) {
      return rest(portion.getBytes(UTF_8));
    }
  }
}
