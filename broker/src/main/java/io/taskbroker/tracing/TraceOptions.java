package io.taskbroker.tracing;

import java.net.URI;
import java.util.Optional;

/// Receiver and sampling of spans. The standard `OTEL_` variables of the environment win over both.
///
/// @param endpoint receiver of OTLP; empty if only the environment may name one
/// @param sampleRate share of the tasks without a decision of their publisher that are traced, 0 to
///   1
public record TraceOptions(Optional<URI> endpoint, double sampleRate) {}
