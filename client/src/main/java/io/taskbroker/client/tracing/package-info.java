/// Traces of tasks for OpenTelemetry. Needs `opentelemetry-api`.
@NullMarked
package io.taskbroker.client.tracing;

import org.jspecify.annotations.NullMarked;
