/// Metrics of a worker by Micrometer. Needs `io.micrometer:micrometer-core`.
@NullMarked
package io.taskbroker.client.metrics;

import org.jspecify.annotations.NullMarked;
