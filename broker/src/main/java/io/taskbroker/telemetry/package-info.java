/// Metrics, logs, error reports and health of the broker.
@NullMarked
package io.taskbroker.telemetry;

import org.jspecify.annotations.NullMarked;
