package io.taskbroker.deliver;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.telemetry.Metrics;
import java.util.Locale;

/// Metrics of push calls, with the reference's names, and one of outcomes. Thread-safe.
final class PushCounts {
  private final Metrics metrics;
  private final CounterDataPoint submitted;
  private final CounterDataPoint ok;
  private final CounterDataPoint error;
  private final CounterDataPoint undone;

  PushCounts(Metrics metrics) {
    this.metrics = metrics;
    this.submitted = metrics.submitted.of("ok");
    this.ok = metrics.pushes.of("ok");
    this.error = metrics.pushes.of("error");
    this.undone = metrics.undoneClaims.of("ok");
  }

  void claimed() {
    metrics.claimed.inc();
    submitted.inc();
  }

  /// Counts a call that is about to be sent.
  ///
  /// @param waited nanoseconds since the claim
  void began(long waited) {
    metrics.pushAttempts.inc();
    metrics.pushQueueLatency.observe(waited / 1e9);
  }

  /// Counts a call that did not reach a worker and was sent on another connection.
  void retried(String application, PushOutcome outcome) {
    metrics.pushAttempts.inc();
    metrics.pushOutcomes.of(application, outcome.name().toLowerCase(Locale.ROOT)).inc();
  }

  /// Counts an event of a worker connection.
  void connection(String application, String event) {
    metrics.pushConnections.of(application, event).inc();
  }

  /// Counts a call that ended after the given nanoseconds.
  void ended(String application, PushOutcome outcome, long nanos) {
    metrics.pushDuration.observe(nanos / 1e9);
    if (outcome != PushOutcome.ACCEPTED) {
      metrics.pushOutcomes.of(application, outcome.name().toLowerCase(Locale.ROOT)).inc();
    }
    switch (outcome) {
      case ACCEPTED -> ok.inc();
      case BUSY, UNREACHABLE -> {
        error.inc();
        undone.inc();
      }
      case OVERLOADED, REFUSED, REJECTED, UNANSWERED, LOST -> error.inc();
    }
  }
}
