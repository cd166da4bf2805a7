package io.taskbroker.tracing;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest;
import io.opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse;
import io.opentelemetry.proto.collector.trace.v1.TraceServiceGrpc;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// The exporter of OpenTelemetry over the broker's gRPC, against a collector's service.
@Timeout(240)
final class OtlpGrpcSenderTest {
  private static final Metadata.Key<String> TOKEN =
      Metadata.Key.of("x-token", Metadata.ASCII_STRING_MARSHALLER);

  private final BlockingQueue<ExportTraceServiceRequest> received = new LinkedBlockingQueue<>();
  private final BlockingQueue<String> tokens = new LinkedBlockingQueue<>();
  private volatile Status answer = Status.OK;
  private Server collector;

  @BeforeEach
  void start() throws IOException {
    collector =
        NettyServerBuilder.forPort(0).addService(new Collector()).intercept(new Tokens()).build();
    collector.start();
  }

  @AfterEach
  void stop() {
    collector.shutdownNow();
  }

  @Test
  void spansArriveWithTheHeadersOfTheConfiguration() throws Exception {
    try (var exporter = exporter();
        var provider = provider(exporter)) {
      provider.get("test").spanBuilder("work").setSpanKind(SpanKind.CLIENT).startSpan().end();
      assertThat(provider.forceFlush().join(30, TimeUnit.SECONDS).isSuccess()).isTrue();
    }
    ExportTraceServiceRequest request = received.poll(60, TimeUnit.SECONDS);
    assertThat(request.getResourceSpans(0).getScopeSpans(0).getSpans(0).getName())
        .isEqualTo("work");
    assertThat(tokens).containsExactly("secret");
  }

  @Test
  void refusalFailsTheExportAndNothingElse() {
    answer = Status.INVALID_ARGUMENT.withDescription("no room");
    try (var exporter = exporter()) {
      CompletableResultCode result = exporter.export(List.of());
      assertThat(result.join(30, TimeUnit.SECONDS).isSuccess()).isFalse();
    }
  }

  @Test
  void absentReceiverFailsTheExport() {
    try (var exporter = exporter()) {
      collector.shutdownNow();
      CompletableResultCode result = exporter.export(List.of());
      assertThat(result.join(30, TimeUnit.SECONDS).isSuccess()).isFalse();
    }
  }

  private OtlpGrpcSpanExporter exporter() {
    return OtlpGrpcSpanExporter.builder()
        .setEndpoint("http://127.0.0.1:" + collector.getPort())
        .setTimeout(Duration.ofSeconds(20))
        .setCompression("gzip")
        .addHeader("x-token", "secret")
        .build();
  }

  private static SdkTracerProvider provider(OtlpGrpcSpanExporter exporter) {
    return SdkTracerProvider.builder()
        .addSpanProcessor(SimpleSpanProcessor.create(exporter))
        .build();
  }

  private final class Collector extends TraceServiceGrpc.TraceServiceImplBase {
    @Override
    public void export(
        ExportTraceServiceRequest request, StreamObserver<ExportTraceServiceResponse> response) {
      if (!answer.isOk()) {
        response.onError(answer.asRuntimeException());
        return;
      }
      received.add(request);
      response.onNext(ExportTraceServiceResponse.getDefaultInstance());
      response.onCompleted();
    }
  }

  private final class Tokens implements ServerInterceptor {
    @Override
    public <Q, A> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
      String token = headers.get(TOKEN);
      tokens.add(token == null ? "" : token);
      return next.startCall(call, headers);
    }
  }
}
