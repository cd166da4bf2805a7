package io.taskbroker.grpc;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.WireFormat;
import io.taskbroker.grpc.UnaryMethod.BadRequest;
import java.io.IOException;

/// Bounds on messages before they are decoded, which may take a hundred times their bytes: an
/// element of two bytes becomes an object, and an unknown field several (G7). Stateless.
final class Messages {
  /// Largest message that needs no payload: an id, a name, a status.
  private static final int SMALL = 64 << 10;

  private Messages() {}

  /// Checks the size of a message without a payload.
  ///
  /// @throws BadRequest if it is too large
  static void requireSmall(int bytes) {
    if (bytes > SMALL) {
      throw new BadRequest("The message has " + bytes + " bytes, more than " + SMALL);
    }
  }

  /// Checks the number of elements in a list within a message.
  ///
  /// @param what the elements, for the error
  /// @param outer number of the field that holds the message with the list
  /// @param list number of the field with the elements
  /// @throws BadRequest if there are more
  /// @throws InvalidProtocolBufferException if that cannot be decoded
  static void requireAtMost(int max, String what, byte[] message, int outer, int list)
      throws InvalidProtocolBufferException {
    if (message.length <= 2 * max) {
      return; // an element has two bytes at least
    }
    CodedInputStream in = CodedInputStream.newInstance(message);
    int number = 0;
    try {
      for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
        if (tag != delimited(outer)) {
          in.skipField(tag);
          continue;
        }
        int end = in.pushLimit(in.readRawVarint32());
        for (int inner = in.readTag(); inner != 0; inner = in.readTag()) {
          if (inner == delimited(list) && ++number > max) {
            throw new BadRequest("More than " + max + " " + what);
          }
          in.skipField(inner);
        }
        in.popLimit(end);
      }
    } catch (InvalidProtocolBufferException e) {
      throw e;
    } catch (IOException e) {
      throw new InvalidProtocolBufferException(e);
    }
  }

  private static int delimited(int field) {
    return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }
}
