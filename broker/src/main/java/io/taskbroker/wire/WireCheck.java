package io.taskbroker.wire;

import org.jspecify.annotations.Nullable;

/// Check of tags and lengths of a serialised message that protobuf for Java does not make: it cuts
/// a number of more than 32 bits, so that a field which claims 2^40 bytes is read as an empty one,
/// where the libraries of other languages, workers among them, refuse the message.
///
/// It looks at one level of a message, groups included. Everything else that can be wrong is left
/// to the parser. Reads each tag once, and no contents. Stateless.
public final class WireCheck {
  private static final int VARINT = 0;
  private static final int FIXED_64 = 1;
  private static final int DELIMITED = 2;
  private static final int START_GROUP = 3;
  private static final int END_GROUP = 4;
  private static final int FIXED_32 = 5;

  /// Of a number of 32 bits; of one of 64 bits.
  private static final int MAX_TAG_BYTES = 5;

  private static final int MAX_VARINT_BYTES = 10;

  private WireCheck() {}

  /// What is wrong with the message in `bytes` from `from` up to `to`; null if nothing is, or if
  /// the parser refuses it.
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

  /// Where what follows a number begins, a length for example, that a parser has read before.
  public static int afterNumber(byte[] bytes, int at) {
    return Math.max(at, end(bytes, at, bytes.length));
  }

  /// The number at a place; beyond all that are allowed if it has more bytes, and 0 if it does not
  /// end.
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

  /// Where the number at a place ends; -1 if it does not.
  private static int end(byte[] bytes, int at, int to) {
    for (int i = at; i < to && i < at + MAX_VARINT_BYTES; i++) {
      if (bytes[i] >= 0) {
        return i + 1;
      }
    }
    return -1;
  }
}
