package io.taskbroker.grpc;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.Status;
import io.taskbroker.wire.Signatures;
import java.time.Duration;
import java.time.InstantSource;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Handler of a method with streams in both directions. Its calls are signed by their path and the
/// time at which they were opened, since their messages are not known then.
final class StreamMethod implements ServerCallHandler<byte[], byte[]> {
  /// Header with the time of the signature, decimal milliseconds since the epoch.
  static final Metadata.Key<String> SIGNED_AT =
      Metadata.Key.of("taskbroker-signed-at", Metadata.ASCII_STRING_MARSHALLER);

  /// Difference between the clocks of client and broker up to which a signature counts.
  private static final Duration MAX_AGE = Duration.ofMinutes(5);

  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER);
  private static final Status UNAUTHENTICATED =
      Status.UNAUTHENTICATED.withDescription("Authentication failed");

  private final MethodDescriptor<byte[], byte[]> descriptor;
  private final Signatures.Signer signer;
  private final ServiceCounts.Method counts;
  private final InstantSource clock;
  private final BiFunction<ServerCall<byte[], byte[]>, Connection, StreamCall> handler;
  private final RareWarning refused = new RareWarning(StreamMethod.class);

  /// @param fullName service and method
  /// @param handler makes the listener of a call
  StreamMethod(
      String fullName,
      Signatures signatures,
      ServiceCounts.Method counts,
      InstantSource clock,
      BiFunction<ServerCall<byte[], byte[]>, Connection, StreamCall> handler) {
    this.descriptor =
        MethodDescriptor.newBuilder(RawMessage.MARSHALLER, RawMessage.MARSHALLER)
            .setType(MethodDescriptor.MethodType.BIDI_STREAMING)
            .setFullMethodName(fullName)
            .build();
    this.signer = signatures.forPath("/" + fullName);
    this.counts = counts;
    this.clock = clock;
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
    StreamCall stream = handler.apply(call, connection);
    if (signer.signs() && !isSigned(headers.get(SIGNED_AT), headers.get(SIGNATURE))) {
      refused.log(
          "Authentication of a {} call failed: it is not signed, or not lately, with any of the"
              + " keys of grpc_shared_secret",
          descriptor.getFullMethodName());
      stream.refuse(UNAUTHENTICATED);
    } else {
      stream.open();
    }
    return stream;
  }

  private boolean isSigned(@Nullable String signedAt, @Nullable String signature) {
    if (signedAt == null || signedAt.length() > 19) {
      return false;
    }
    try {
      long age = clock.millis() - Long.parseLong(signedAt);
      return Math.abs(age) <= MAX_AGE.toMillis()
          && signer.keyOf(signedAt.getBytes(US_ASCII), signature) > 0;
    } catch (NumberFormatException _) {
      return false;
    }
  }
}
