package io.taskbroker.grpc;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.taskbroker.wire.MessageBytes;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/// Marshaller of messages as raw bytes, so that signatures can be verified.
///
/// A compressed message may prove too large or corrupt only here, where an exception would become a
/// server error: such a message is returned as one of two constants instead.
enum RawMessage implements MethodDescriptor.Marshaller<byte[]> {
  MARSHALLER;

  private static final byte[] TOO_LARGE = new byte[0];
  private static final byte[] CORRUPT = new byte[0];

  /// Status of an unreadable message; null if it was read.
  @SuppressWarnings("ReferenceEquality") // an empty message is not one of the constants
  static @Nullable Status failure(byte[] message) {
    if (message == TOO_LARGE) {
      return Status.RESOURCE_EXHAUSTED.withDescription("The message is too large decompressed");
    }
    if (message == CORRUPT) {
      return Status.INVALID_ARGUMENT.withDescription("The message cannot be decompressed");
    }
    return null;
  }

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
