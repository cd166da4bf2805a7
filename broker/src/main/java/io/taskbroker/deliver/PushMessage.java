package io.taskbroker.deliver;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.MethodDescriptor;
import io.taskbroker.wire.Frames;
import io.taskbroker.wire.MessageBytes;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;

/// Outgoing `PushTaskRequest`, readable once: a short header of its own and the bytes of the
/// activation, which reach the transport with one copy. Not thread-safe.
final class PushMessage extends InputStream implements Drainable, KnownLength {
  private final byte[] activation;
  private final byte[] frame;
  private final MessageBytes head;
  private final MessageBytes rest;

  PushMessage(byte[] activation) {
    this.activation = activation;
    frame = Frames.headOf(activation);
    head = new MessageBytes(frame);
    rest = new MessageBytes(activation);
  }

  /// Bytes of the message, in order.
  byte[][] parts() {
    return new byte[][] {frame, activation};
  }

  /// Size of the message in bytes.
  int length() {
    return frame.length + activation.length;
  }

  @Override
  public int drainTo(OutputStream target) throws IOException {
    return head.drainTo(target) + rest.drainTo(target);
  }

  @Override
  public int available() {
    return head.available() + rest.available();
  }

  @Override
  public int read() {
    return head.available() > 0 ? head.read() : rest.read();
  }

  @Override
  public int read(byte[] to, int offset, int length) {
    return (head.available() > 0 ? head : rest).read(to, offset, length);
  }

  /// Marshaller of outgoing messages only.
  enum Marshaller implements MethodDescriptor.Marshaller<PushMessage> {
    MARSHALLER;

    @Override
    public InputStream stream(PushMessage message) {
      return message;
    }

    @Override
    public PushMessage parse(InputStream in) {
      throw new UnsupportedOperationException("A broker does not receive PushTaskRequest");
    }
  }
}
