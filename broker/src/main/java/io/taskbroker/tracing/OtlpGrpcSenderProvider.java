package io.taskbroker.tracing;

import io.opentelemetry.sdk.common.export.GrpcSender;
import io.opentelemetry.sdk.common.export.GrpcSenderConfig;
import io.opentelemetry.sdk.common.export.GrpcSenderProvider;

/// Provider of the transport of OTLP over gRPC, which OpenTelemetry finds by its service loader.
public final class OtlpGrpcSenderProvider implements GrpcSenderProvider {
  @Override
  public GrpcSender createSender(GrpcSenderConfig config) {
    return new OtlpGrpcSender(config);
  }
}
