package io.taskbroker.deliver;

import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.taskbroker.wire.MessageBytes;
import java.io.IOException;
import java.io.InputStream;

/// Marshaller of responses as raw bytes.
enum Bytes implements MethodDescriptor.Marshaller<byte[]> {
  MARSHALLER;

  @Override
  public InputStream stream(byte[] message) {
    return new MessageBytes(message);
  }

  @Override
  public byte[] parse(InputStream in) {
    try {
      return MessageBytes.readAll(in);
    } catch (IOException e) {
      throw Status.INTERNAL
          .withDescription("Cannot read the response: " + e.getMessage())
          .withCause(e)
          .asRuntimeException();
    }
  }
}
