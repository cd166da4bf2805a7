package io.taskbroker.grpc;

import io.taskbroker.telemetry.Metrics;
import java.time.Duration;

/// Options of all worker streams.
///
/// @param broker name of the broker, for logs
/// @param maxMessageBytes largest message that is read
/// @param grace how long a stopping broker takes results
record WorkerOptions(String broker, int maxMessageBytes, Duration grace, Counts counts) {
  /// Metrics of the streams. Thread-safe.
  record Counts(Metrics metrics) {
    void opened() {
      metrics.workerStreams.inc();
    }

    void closed() {
      metrics.workerStreams.dec();
    }
  }
}
