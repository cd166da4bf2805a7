package io.taskbroker.wire;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import java.io.IOException;

/// Oracle of messages that the protobuf libraries of other languages reject and Java's accepts:
/// tags and lengths of more than 32 bits, or more than five bytes.
public final class WireOracle {
  private WireOracle() {}

  /// @param levels nesting levels of messages to inspect
  public static boolean refuses(byte[] bytes, Descriptor type, int levels) {
    var in = CodedInputStream.newInstance(bytes);
    int groups = 0;
    try {
      while (!in.isAtEnd()) {
        int begin = in.getTotalBytesRead();
        long tag = in.readRawVarint64();
        if (in.getTotalBytesRead() - begin > 5 || tag >>> 32 != 0) {
          return true;
        }
        switch ((int) tag & 7) {
          case 0 -> in.readRawVarint64();
          case 1 -> in.readRawLittleEndian64();
          case 5 -> in.readRawLittleEndian32();
          case 2 -> {
            int lengthAt = in.getTotalBytesRead();
            long length = in.readRawVarint64();
            if (in.getTotalBytesRead() - lengthAt > 5 || length >>> 31 != 0) {
              return true;
            }
            byte[] content = in.readRawBytes((int) length);
            FieldDescriptor field = type.findFieldByNumber((int) (tag >>> 3));
            if (groups == 0
                && levels > 1
                && field != null
                && field.getType() == FieldDescriptor.Type.MESSAGE
                && refuses(content, field.getMessageType(), levels - 1)) {
              return true;
            }
          }
          case 3 -> groups++;
          case 4 -> groups--;
          default -> {
            return false;
          }
        }
      }
      return false;
    } catch (IOException _) {
      return false; // Java's parser rejects it, too
    }
  }
}
