/// Kafka input: reads activations and raw messages, hands them to the engine in offset order, and
/// commits an offset only when everything below it is durable (G1).
@NullMarked
package io.taskbroker.ingest;

import org.jspecify.annotations.NullMarked;
