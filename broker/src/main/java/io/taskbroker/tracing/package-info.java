/// Traces: the steps of tasks become spans of OpenTelemetry, which are sent over OTLP. Nothing is
/// loaded unless an operator asked for it (ADR 36).
@NullMarked
package io.taskbroker.tracing;

import org.jspecify.annotations.NullMarked;
