package io.taskbroker.grpc;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.List;

/// Call without a network, which records what the server does with it. Not thread-safe.
final class RecordedCall extends ServerCall<byte[], byte[]> {
  private final MethodDescriptor<byte[], byte[]> method;
  private final Connection connection;
  final List<byte[]> sent = new ArrayList<>();
  final List<Status> closed = new ArrayList<>();

  /// Messages that the server wants and has not got.
  int wanted;

  /// Whether the client reads.
  boolean ready = true;

  RecordedCall(MethodDescriptor<byte[], byte[]> method, Connection connection) {
    this.method = method;
    this.connection = connection;
  }

  @Override
  public Attributes getAttributes() {
    return Attributes.newBuilder().set(Connection.KEY, connection).build();
  }

  @Override
  public void request(int messages) {
    wanted += messages;
  }

  @Override
  public boolean isReady() {
    return ready;
  }

  @Override
  public void sendHeaders(Metadata headers) {}

  @Override
  public void sendMessage(byte[] message) {
    if (!closed.isEmpty()) {
      throw new AssertionError("A message after the end");
    }
    sent.add(message);
  }

  @Override
  public void close(Status status, Metadata trailers) {
    closed.add(status);
  }

  @Override
  public boolean isCancelled() {
    return false;
  }

  @Override
  public MethodDescriptor<byte[], byte[]> getMethodDescriptor() {
    return method;
  }
}
