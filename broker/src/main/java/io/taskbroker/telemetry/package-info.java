/// What operators see of the broker.
@NullMarked
package io.taskbroker.telemetry;

import org.jspecify.annotations.NullMarked;
