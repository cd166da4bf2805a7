package io.taskbroker.grpc;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.taskbroker.wire.Signatures;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// A method of one request and one response, whose calls are verified before they are looked into.
final class UnaryMethod implements ServerCallHandler<byte[], byte[]> {
  private static final Logger LOGGER = LoggerFactory.getLogger(UnaryMethod.class);
  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER);
  private static final Status UNAUTHENTICATED =
      Status.UNAUTHENTICATED.withDescription("Authentication failed");

  private final MethodDescriptor<byte[], byte[]> descriptor;
  private final Signatures.Signer signer;
  private final ServiceCounts.Method counts;
  private final Handler handler;
  private final RareWarning refused = new RareWarning(UnaryMethod.class);
  private final RareWarning laterKey = new RareWarning(UnaryMethod.class, Level.INFO);

  /// @param fullName of service and method
  UnaryMethod(
      String fullName, Signatures signatures, ServiceCounts.Method counts, Handler handler) {
    this.descriptor =
        MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(fullName)
            .build();
    this.signer = signatures.forPath("/" + fullName);
    this.counts = counts;
    this.handler = handler;
  }

  MethodDescriptor<byte[], byte[]> descriptor() {
    return descriptor;
  }

  @Override
  public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    counts.began();
    Connection connection = Connection.of(call);
    if (!connection.begins(call)) {
      return new ServerCall.Listener<>() {};
    }
    // A second message would be an error, which is only found out by asking for it.
    call.request(2);
    UnaryCall begun = new UnaryCall(this, call, headers.get(SIGNATURE), connection);
    connection.running().incomplete().begin(begun.deadline);
    return begun;
  }

  void handle(UnaryCall call, byte[] request, @Nullable String signature) {
    Status unread = RawMessage.failure(request);
    if (unread != null) {
      call.fail(unread);
      return;
    }
    if (signer.signs() && !isSigned(call, request, signature)) {
      call.fail(UNAUTHENTICATED);
      return;
    }
    if (!call.holdRequest(request.length)) {
      call.fail(Connection.TOO_MANY);
      return;
    }
    try {
      handler.handle(call, request);
    } catch (BadRequest e) {
      call.fail(Status.INVALID_ARGUMENT.withDescription(e.getMessage()));
    } catch (InvalidProtocolBufferException e) {
      call.fail(
          Status.INVALID_ARGUMENT.withDescription("Cannot decode the request: " + e.getMessage()));
    } catch (RuntimeException e) {
      LOGGER.error("Cannot handle a call of {}", descriptor.getFullMethodName(), e);
      call.fail(Status.INTERNAL.withDescription("Cannot handle the call"));
    }
  }

  /// Says who signs how, and by which secret; the secrets themselves are never said.
  private boolean isSigned(UnaryCall call, byte[] request, @Nullable String signature) {
    int key = signer.keyOf(request, signature);
    if (key == 0) {
      refused.log(
          "Authentication of a call of {} by {} failed: it {} of the {} keys of grpc_shared_secret",
          descriptor.getFullMethodName(),
          call.peer(),
          signature == null ? "has no signature by any" : "is signed by none",
          signer.keys());
    } else if (key > 1) {
      laterKey.log(
          "A call of {} by {} is signed by key {} of the {} keys of grpc_shared_secret, and not by"
              + " the first",
          descriptor.getFullMethodName(),
          call.peer(),
          key,
          signer.keys());
    }
    return key > 0;
  }

  void ended(long nanos) {
    counts.ended(nanos);
  }

  /// What a method does. Called by the event loop: must not block.
  @FunctionalInterface
  interface Handler {
    /// Hands the request on, or answers the call.
    ///
    /// @throws InvalidProtocolBufferException if the request is no message of its type
    /// @throws BadRequest if it is one that cannot be followed
    void handle(UnaryCall call, byte[] request) throws InvalidProtocolBufferException;
  }

  /// A request that cannot be followed; the message is for the client.
  static final class BadRequest extends RuntimeException {
    private static final long serialVersionUID = 1;

    BadRequest(String message) {
      super(message, null, false, false);
    }
  }
}
