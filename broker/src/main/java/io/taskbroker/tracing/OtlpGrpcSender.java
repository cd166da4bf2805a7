package io.taskbroker.tracing;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolNames;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.JdkSslContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.common.export.Compressor;
import io.opentelemetry.sdk.common.export.GrpcResponse;
import io.opentelemetry.sdk.common.export.GrpcSender;
import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.GrpcStatusCode;
import io.opentelemetry.sdk.common.export.MessageWriter;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// Transport of OTLP over gRPC for the exporters of OpenTelemetry, on the gRPC library of the
/// broker in place of OkHttp. It does not repeat a request that the receiver does not take.
/// Thread-safe.
final class OtlpGrpcSender implements GrpcSender {
  private static final int MAX_RESPONSE_BYTES = 1 << 20;
  private static final int DEFAULT_PORT = 4317;
  private static final byte[] EMPTY = {};

  private final GrpcSenderConfig config;
  private final ManagedChannel channel;
  private final MethodDescriptor<MessageWriter, byte[]> method;

  OtlpGrpcSender(GrpcSenderConfig config) {
    this.config = config;
    channel = channel(config);
    method =
        MethodDescriptor.<MessageWriter, byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNARY)
            .setFullMethodName(config.getFullMethodName())
            .setRequestMarshaller(new Messages())
            .setResponseMarshaller(new Responses())
            .build();
  }

  private static ManagedChannel channel(GrpcSenderConfig config) {
    URI endpoint = config.getEndpoint();
    int port = endpoint.getPort() < 0 ? DEFAULT_PORT : endpoint.getPort();
    NettyChannelBuilder builder =
        NettyChannelBuilder.forAddress(endpoint.getHost(), port)
            .maxInboundMessageSize(MAX_RESPONSE_BYTES)
            .disableRetry()
            .directExecutor();
    return "https".equalsIgnoreCase(endpoint.getScheme())
        ? builder.sslContext(tls(config)).build()
        : builder.usePlaintext().build();
  }

  private static SslContext tls(GrpcSenderConfig config) {
    SSLContext given = config.getSslContext();
    if (given != null) {
      return new JdkSslContext(
          given,
          true,
          null,
          SupportedCipherSuiteFilter.INSTANCE,
          new ApplicationProtocolConfig(
              Protocol.ALPN,
              SelectorFailureBehavior.NO_ADVERTISE,
              SelectedListenerFailureBehavior.ACCEPT,
              ApplicationProtocolNames.HTTP_2),
          ClientAuth.NONE,
          null,
          false);
    }
    try {
      return GrpcSslContexts.forClient().build();
    } catch (SSLException e) {
      throw new IllegalArgumentException("Cannot use TLS for traces: " + e.getMessage(), e);
    }
  }

  @Override
  public void send(
      MessageWriter message, Consumer<GrpcResponse> onResponse, Consumer<Throwable> onError) {
    CallOptions options =
        CallOptions.DEFAULT.withDeadlineAfter(config.getTimeout().toNanos(), TimeUnit.NANOSECONDS);
    Compressor compressor = config.getCompressor();
    if (compressor != null) {
      options = options.withCompression(compressor.getEncoding());
    }
    Channel withHeaders =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers()));
    ClientCalls.asyncUnaryCall(
        withHeaders.newCall(method, options), message, new Answer(onResponse));
  }

  private Metadata headers() {
    var headers = new Metadata();
    config
        .getHeadersSupplier()
        .get()
        .forEach((name, values) -> {
          var key = Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
          values.forEach(value -> headers.put(key, value));
        });
    return headers;
  }

  @Override
  public CompletableResultCode shutdown() {
    channel.shutdownNow();
    return CompletableResultCode.ofSuccess();
  }

  /// Answer of the receiver, or why there is none.
  private static final class Answer implements StreamObserver<byte[]> {
    private final Consumer<GrpcResponse> receiver;
    private byte[] message = EMPTY;

    Answer(Consumer<GrpcResponse> receiver) {
      this.receiver = receiver;
    }

    @Override
    public void onNext(byte[] bytes) {
      message = bytes;
    }

    @Override
    public void onError(Throwable error) {
      Status status = Status.fromThrowable(error);
      receiver.accept(new Response(status, EMPTY));
    }

    @Override
    public void onCompleted() {
      receiver.accept(new Response(Status.OK, message));
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Response(Status status, byte[] message) implements GrpcResponse {
    @Override
    public GrpcStatusCode getStatusCode() {
      return GrpcStatusCode.fromValue(status.getCode().value());
    }

    @Override
    public @Nullable String getStatusDescription() {
      return status.getDescription();
    }

    @Override
    public byte[] getResponseMessage() {
      return message;
    }
  }

  /// Requests, which are written only.
  private static final class Messages implements MethodDescriptor.Marshaller<MessageWriter> {
    @Override
    public InputStream stream(MessageWriter message) {
      var bytes = new ByteArrayOutputStream(Math.max(32, message.getContentLength()));
      try {
        message.writeMessage(bytes);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return new ByteArrayInputStream(bytes.toByteArray());
    }

    @Override
    public MessageWriter parse(InputStream stream) {
      throw new UnsupportedOperationException("Requests are not read");
    }
  }

  /// Responses, which are read only.
  private static final class Responses implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] bytes) {
      return new ByteArrayInputStream(bytes);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
