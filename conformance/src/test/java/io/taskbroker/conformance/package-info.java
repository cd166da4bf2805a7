/// The published Python client, with its own producer, worker and scheduler, against the broker's
/// process and real Kafka: what tasks did is seen in what they noted, and in topics.
@NullMarked
package io.taskbroker.conformance;

import org.jspecify.annotations.NullMarked;
