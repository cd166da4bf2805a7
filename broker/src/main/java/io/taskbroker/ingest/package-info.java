/// The way in: reads activations, and raw messages, from Kafka, hands them to the engine in the
/// order of their offsets, and commits an offset only when everything below it is durable (G1).
@NullMarked
package io.taskbroker.ingest;

import org.jspecify.annotations.NullMarked;
