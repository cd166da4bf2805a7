package io.taskbroker.grpc;

import io.netty.buffer.ByteBuf;

/// Received bytes of a call that the client has not ended. A stream of messages holds those of the
/// message that is incomplete: complete ones are read at once. Confined to the event loop.
final class IncompleteRequest {
  /// Compression flag and length of a message.
  private static final int PREFIX_BYTES = 5;

  /// Bytes received and not released, and those among them that belong to complete messages.
  private int held;

  private int complete;
  private boolean stream;
  private boolean padded;
  private int prefix;
  private int length;
  private long missing;

  /// Bytes held.
  int held() {
    return held;
  }

  boolean isStream() {
    return stream;
  }

  void received(int bytes) {
    held += bytes;
  }

  /// Records that a frame has padding, which is not told from messages.
  void pad() {
    padded = true;
  }

  /// Set for a stream of messages, whose ends are not seen here.
  boolean isObscure() {
    return stream && padded;
  }

  /// Regards the call as a stream of messages from now on.
  ///
  /// @return bytes that are not held any more
  int becomeStream() {
    stream = true;
    return releaseComplete();
  }

  /// Examines a part of a DATA frame.
  ///
  /// @param rest bytes of the frame after the part
  /// @return bytes that are not held any more
  int scan(ByteBuf bytes, int from, int count, int rest) {
    int at = from;
    int end = from + count;
    while (at < end) {
      if (prefix < PREFIX_BYTES) {
        int next = bytes.getByte(at++) & 0xFF;
        length = prefix == 0 ? 0 : length << 8 | next;
        prefix++;
        missing = Integer.toUnsignedLong(length);
      } else {
        int read = (int) Math.min(missing, end - at);
        at += read;
        missing -= read;
      }
      if (prefix == PREFIX_BYTES && missing == 0) {
        prefix = 0;
        complete = held - (end - at) - rest;
      }
    }
    return stream ? releaseComplete() : 0;
  }

  private int releaseComplete() {
    int bytes = complete;
    held -= bytes;
    complete = 0;
    return bytes;
  }
}
