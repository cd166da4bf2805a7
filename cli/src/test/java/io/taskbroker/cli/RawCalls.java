package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// Single calls with arbitrary bytes and signatures.
final class RawCalls implements AutoCloseable {
  private static final Metadata.Key<String> SIGNATURE =
      Metadata.Key.of("sentry-signature", Metadata.ASCII_STRING_MARSHALLER);

  private final ManagedChannel channel;

  RawCalls(BrokerSetup broker) {
    channel = NettyChannelBuilder.forTarget(broker.address()).usePlaintext().build();
  }

  /// Result of a call.
  record Answer(Status.Code code, String text) {}

  /// Calls signed with the secret.
  Answer call(MethodDescriptor<?, ?> method, MessageLite request, String secret) {
    byte[] bytes = request.toByteArray();
    return call(method, bytes, sign(method, bytes, secret));
  }

  /// @param signature as sent; null for none
  Answer call(MethodDescriptor<?, ?> method, byte[] request, @Nullable String signature) {
    var headers = new Metadata();
    if (signature != null) {
      headers.put(SIGNATURE, signature);
    }
    try {
      byte[] answer =
          ClientCalls.blockingUnaryCall(
              ClientInterceptors.intercept(
                  channel, MetadataUtils.newAttachHeadersInterceptor(headers)),
              method.toBuilder(new Bytes(), new Bytes()).build(),
              CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS),
              request);
      return new Answer(Status.Code.OK, HexFormat.of().formatHex(answer));
    } catch (StatusRuntimeException e) {
      String text = e.getStatus().getDescription();
      return new Answer(e.getStatus().getCode(), text == null ? "" : text);
    }
  }

  static String sign(MethodDescriptor<?, ?> method, byte[] message, String secret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret.getBytes(UTF_8), "HmacSHA256"));
      mac.update(("/" + method.getFullMethodName() + ":").getBytes(UTF_8));
      return HexFormat.of().formatHex(mac.doFinal(message));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("No HMAC", e);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }

  private record Bytes() implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException("Could not read an answer", e);
      }
    }
  }
}
