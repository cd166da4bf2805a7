package io.taskbroker.grpc;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.StatusRuntimeException;
import io.taskbroker.wire.MessageBytes;
import java.io.IOException;
import java.io.InputStream;

/// Messages as the bytes that they are on the wire, so that a signature can be verified.
///
/// A compressed message may turn out to be too large or corrupt only here, where an exception would
/// be taken for an error of the server: such a message is one of two constants instead.
enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
  MARSHALLER;

  static final byte[] TOO_LARGE = new byte[0];
  static final byte[] CORRUPT = new byte[0];

  @Override
  public InputStream stream(byte[] message) {
    return new Outgoing(message);
  }

  @Override
  public byte[] parse(InputStream in) {
    try {
      return MessageBytes.readAll(in);
    } catch (StatusRuntimeException _) {
      return TOO_LARGE;
    } catch (IOException _) {
      return CORRUPT;
    }
  }

  private static final class Outgoing extends MessageBytes implements Drainable, KnownLength {
    Outgoing(byte[] message) {
      super(message);
    }
  }
}
