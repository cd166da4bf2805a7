/// Peers of the broker, for tests, load and the demo: Kafka, publishers and workers in this
/// process, and the broker itself in another. What goes over the wire is real; only the work is
/// simulated.
@NullMarked
package io.taskbroker.testkit;

import org.jspecify.annotations.NullMarked;
