package io.taskbroker.testkit;

import io.grpc.Drainable;
import io.grpc.KnownLength;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;

/// Methods of the wire contract with messages as bytes, so that the signed bytes are the sent
/// bytes.
final class RawMethods {
  static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of("sentry-signature", Metadata.ASCII_STRING_MARSHALLER);

  private static final Marshaller<byte[]> BYTES = new BytesMarshaller();

  static final MethodDescriptor<byte[], byte[]> PUSH_TASK =
      raw(WorkerServiceGrpc.getPushTaskMethod());
  static final MethodDescriptor<byte[], byte[]> GET_TASK =
      raw(ConsumerServiceGrpc.getGetTaskMethod());
  static final MethodDescriptor<byte[], byte[]> SET_TASK_STATUS =
      raw(ConsumerServiceGrpc.getSetTaskStatusMethod());
  static final MethodDescriptor<byte[], byte[]> SET_BATCH_ACTIVATION_STATUS =
      raw(ConsumerServiceGrpc.getSetBatchActivationStatusMethod());

  private RawMethods() {}

  private static MethodDescriptor<byte[], byte[]> raw(MethodDescriptor<?, ?> typed) {
    return typed.toBuilder(BYTES, BYTES).build();
  }

  private static final class BytesMarshaller implements Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new BytesStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        if (!(stream instanceof KnownLength)) {
          return stream.readAllBytes();
        }
        byte[] value = new byte[stream.available()];
        stream.readNBytes(value, 0, value.length);
        return value;
      } catch (IOException e) {
        throw new UncheckedIOException("Could not read a message", e);
      }
    }
  }

  private static final class BytesStream extends ByteArrayInputStream
      implements Drainable, KnownLength {
    BytesStream(byte[] value) {
      super(value);
    }

    @Override
    public int drainTo(OutputStream target) throws IOException {
      int length = count - pos;
      target.write(buf, pos, length);
      pos = count;
      return length;
    }
  }
}
