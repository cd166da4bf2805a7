package io.taskbroker.tracing;

import io.opentelemetry.sdk.trace.IdGenerator;

/// Ids of spans: those that the caller sets for its next span, otherwise random ones. Confined to
/// the engine's thread.
final class SpanIds implements IdGenerator {
  private static final String NONE = "";

  private final IdGenerator random = IdGenerator.random();
  private String traceId = NONE;
  private String spanId = NONE;

  /// Sets the ids of the next span.
  ///
  /// @param trace used if that span has no parent
  void next(String trace, String span) {
    traceId = trace;
    spanId = span;
  }

  /// Random ids from here on.
  void clear() {
    traceId = NONE;
    spanId = NONE;
  }

  @Override
  public String generateSpanId() {
    return spanId.isEmpty() ? random.generateSpanId() : spanId;
  }

  @Override
  public String generateTraceId() {
    return traceId.isEmpty() ? random.generateTraceId() : traceId;
  }
}
