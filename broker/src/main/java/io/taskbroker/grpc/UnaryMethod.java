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

/// Handler of a unary method that verifies the signature of a call before it decodes the request.
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

  /// @param fullName service and method
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
    if (!connection.admit(call)) {
      return new ServerCall.Listener<>() {};
    }
    // A second message is an error that only a second request detects.
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
      LOGGER.error("Cannot handle a {} call", descriptor.getFullMethodName(), e);
      call.fail(Status.INTERNAL.withDescription("Cannot handle the call"));
    }
  }

  /// Verifies the signature and logs failures and the use of later keys, without the secrets.
  private boolean isSigned(UnaryCall call, byte[] request, @Nullable String signature) {
    int key = signer.keyOf(request, signature);
    if (key == 0) {
      refused.log(
          "Authentication of a {} call from {} failed: it {} of the {} keys of grpc_shared_secret",
          descriptor.getFullMethodName(),
          call.peer(),
          signature == null ? "has no signature by any" : "is signed with none",
          signer.keys());
    } else if (key > 1) {
      laterKey.log(
          "A {} call from {} is signed with key {} of the {} keys of grpc_shared_secret, not with"
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

  /// Implementation of a method. Called by the event loop: must not block.
  @FunctionalInterface
  interface Handler {
    /// Passes the request on, or answers the call.
    ///
    /// @throws InvalidProtocolBufferException if the request cannot be decoded
    /// @throws BadRequest if the request is invalid
    void handle(UnaryCall call, byte[] request) throws InvalidProtocolBufferException;
  }

  /// Invalid request; the message is sent to the client.
  static final class BadRequest extends RuntimeException {
    private static final long serialVersionUID = 1;

    BadRequest(String message) {
      super(message, null, false, false);
    }
  }
}
