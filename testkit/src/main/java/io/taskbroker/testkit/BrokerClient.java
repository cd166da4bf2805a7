package io.taskbroker.testkit;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Unary calls to a broker over one connection, signed if there are secrets. Calls time out after
/// 10 s; no timer is armed for that, so [#cancelOverdue] must be called periodically. Thread-safe.
final class BrokerClient implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
  private static final long TIMEOUT_NANOS = TimeUnit.SECONDS.toNanos(10);

  /// Callback for the end of a call, on a thread that must not be blocked. The response is empty
  /// unless the status is OK.
  @FunctionalInterface
  interface Reply {
    void ended(Status status, byte[] response);
  }

  private final ManagedChannel channel;
  private final Signer signer;
  private final ArrayDeque<Call> outstanding = new ArrayDeque<>();
  private volatile boolean unreachable;

  BrokerClient(String broker, List<String> secrets) {
    signer = new Signer(secrets);
    channel =
        NettyChannelBuilder.forTarget("dns:///" + broker)
            .usePlaintext()
            .directExecutor()
            .disableRetry()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .build();
  }

  void call(MethodDescriptor<byte[], byte[]> method, byte[] request, Reply reply) {
    if (unreachable) {
      unreachable = false;
      channel.resetConnectBackoff();
    }
    var headers = new Metadata();
    if (signer.signs()) {
      headers.put(RawMethods.SIGNATURE, signer.sign(method.getFullMethodName(), request));
    }
    var call = new Call(channel.newCall(method, CallOptions.DEFAULT), reply);
    synchronized (outstanding) {
      dropEnded();
      outstanding.add(call);
    }
    call.grpc.start(call, headers);
    call.grpc.request(2);
    call.grpc.sendMessage(request);
    call.grpc.halfClose();
  }

  /// Cancels the calls that have timed out.
  void cancelOverdue() {
    long now = System.nanoTime();
    while (true) {
      Call overdue;
      synchronized (outstanding) {
        dropEnded();
        Call oldest = outstanding.peek();
        if (oldest == null || now - oldest.startedAt < TIMEOUT_NANOS) {
          return;
        }
        overdue = outstanding.remove();
      }
      overdue.grpc.cancel("No reply within 10 s", null);
    }
  }

  /// All calls have the same timeout, so the oldest expires first.
  private void dropEnded() {
    Call oldest = outstanding.peek();
    while (oldest != null && oldest.ended) {
      outstanding.remove();
      oldest = outstanding.peek();
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private final class Call extends ClientCall.Listener<byte[]> {
    private static final byte[] NOTHING = {};

    private final ClientCall<byte[], byte[]> grpc;
    private final Reply reply;
    private final long startedAt = System.nanoTime();
    private byte @Nullable [] response;
    private volatile boolean ended;

    Call(ClientCall<byte[], byte[]> grpc, Reply reply) {
      this.grpc = grpc;
      this.reply = reply;
    }

    @Override
    public void onMessage(byte[] message) {
      response = message;
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      ended = true;
      if (status.getCode() == Status.Code.UNAVAILABLE) {
        unreachable = true;
      }
      reply.ended(status, response == null ? NOTHING : response);
    }
  }
}
