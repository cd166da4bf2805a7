/// Kafka out: retries, dead letters and demoted tasks. What is handed over is tried until Kafka has
/// acknowledged it or will never take it, and the engine is told so (G4).
@NullMarked
package io.taskbroker.outbox;

import org.jspecify.annotations.NullMarked;
