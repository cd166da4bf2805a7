/// Peers of the broker for tests, load and the demo: Kafka, publishers and workers in this process,
/// the broker itself in another. The wire traffic is real; only the work of tasks is simulated.
@NullMarked
package io.taskbroker.testkit;

import org.jspecify.annotations.NullMarked;
