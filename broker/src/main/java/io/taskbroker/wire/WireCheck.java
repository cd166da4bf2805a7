package io.taskbroker.wire;

import org.jspecify.annotations.Nullable;

/// Validator of tags and lengths of a serialized message that protobuf for Java does not check: it
/// truncates numbers of more than 32 bits, so that a field which claims 2^40 bytes is read as
/// empty, while the libraries of other languages, including those of workers, reject the message.
///
/// Checks one level of a message, groups included; all other errors are left to the parser. Reads
/// each tag once, and no contents. Stateless.
public final class WireCheck {
  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int DELIMITED = 2;
  private static final int START_GROUP = 3;
  private static final int END_GROUP = 4;
  private static final int FIXED_32 = 5;

  /// Maximum varint length of a 32-bit and of a 64-bit number.
  private static final int MAX_TAG_BYTES = 5;

  private static final int MAX_VARINT_BYTES = 10;

  private WireCheck() {}

  /// Description of the defect in `bytes` from `from` up to `to`; null if there is none, or if the
  /// parser rejects the message.
  public static @Nullable String flaw(byte[] bytes, int from, int to) {
    int at = from;
    while (at < to) {
      int tagAt = at;
      long tag = number(bytes, at, to, MAX_TAG_BYTES);
      if (tag > 0xFFFF_FFFFL) {
        return "the tag of a field, at byte " + (tagAt - from) + ", has more than 32 bits";
      }
      at = end(bytes, at, to);
      if (at < 0) {
        return null;
      }
      switch ((int) tag & 7) {
        case VARINT -> at = end(bytes, at, to);
        case FIXED_64 -> at += 8;
        case FIXED_32 -> at += 4;
        case START_GROUP, END_GROUP -> {}
        case DELIMITED -> {
          long length = number(bytes, at, to, MAX_TAG_BYTES);
          if (length > Integer.MAX_VALUE) {
            return "field %d, at byte %d, claims 2^31 bytes or more"
                .formatted(tag >>> 3, tagAt - from);
          }
          at = end(bytes, at, to);
          if (at < 0 || length > to - at) {
            return null;
          }
          at += (int) length;
        }
        default -> {
          return null;
        }
      }
      if (at < 0) {
        return null;
      }
    }
    return null;
  }

  /// Offset after a number, such as a length, that a parser has already read.
  public static int afterNumber(byte[] bytes, int at) {
    return Math.max(at, end(bytes, at, bytes.length));
  }

  /// Number at an offset; [Long#MAX_VALUE] if it has too many bytes, and 0 if it is truncated.
  private static long number(byte[] bytes, int at, int to, int maxBytes) {
    long number = 0;
    for (int i = 0; at + i < to; i++) {
      if (i == maxBytes) {
        return Long.MAX_VALUE;
      }
      byte next = bytes[at + i];
      number |= (next & 0x7FL) << (7 * i);
      if (next >= 0) {
        return number;
      }
    }
    return 0;
  }

  /// Offset after the number at an offset; -1 if it is truncated.
  private static int end(byte[] bytes, int at, int to) {
    for (int i = at; i < to && i < at + MAX_VARINT_BYTES; i++) {
      if (bytes[i] >= 0) {
        return i + 1;
      }
    }
    return -1;
  }
}
