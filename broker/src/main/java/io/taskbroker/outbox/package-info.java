/// Kafka output: retries, dead letters and demoted tasks. A record is retried until Kafka has
/// acknowledged it or will never accept it; the engine is notified of the outcome (G4).
@NullMarked
package io.taskbroker.outbox;

import org.jspecify.annotations.NullMarked;
