package io.taskbroker.engine;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.model.snapshots.Exemplar;
import io.prometheus.metrics.model.snapshots.Labels;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.telemetry.Labelled;
import io.taskbroker.telemetry.Metrics;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Metrics of the engine, named as in the reference. Each event is an increment or two. Confined to
/// the engine's thread.
public final class EngineCounts {
  private final Metrics metrics;
  private final Map<EngineEvent, CounterDataPoint> events = new EnumMap<>(EngineEvent.class);
  private final CounterDataPoint completed;
  private final CounterDataPoint failed;
  private final CounterDataPoint retried;
  private final CounterDataPoint delayElapsed;
  private final @Nullable TaskTraces traces;

  /// @param traces for exemplars; null if tasks are not traced
  public EngineCounts(Metrics metrics, @Nullable TaskTraces traces) {
    this.metrics = metrics;
    this.traces = traces;
    completed = metrics.transitions.of("completed");
    failed = metrics.transitions.of("failed");
    retried = metrics.transitions.of("retried");
    delayElapsed = metrics.cleanups.of("mark_delay_elapsed_as_pending");
    exposeAtZero();
  }

  /// Creates the counters that alerts watch: Prometheus sees no increase in the first sample of a
  /// series.
  private void exposeAtZero() {
    metrics.cleanups.of("mark_processing_attempts_exceeded_as_failure").inc(0);
    for (EngineEvent event : EngineEvent.values()) {
      if (event.level() == EngineEvent.Level.WARN) {
        events.put(event, counter(event));
      }
    }
  }

  /// Counts an event of an application, or of an id that is not in flight.
  public void count(EngineEvent event, String id) {
    logged(event);
    if (event == EngineEvent.NO_WORKER) {
      metrics.missingWorker.of(id).inc();
    }
  }

  private void logged(EngineEvent event) {
    if (event.isLogged()) {
      events.computeIfAbsent(event, this::counter).inc();
    }
  }

  /// Counts an outcome of a change that cannot be.
  public void unexpected(Change change, ChangeOutcome outcome) {
    metrics.unexpectedOutcomes.of(change.kind(), outcome.name().toLowerCase(Locale.ROOT)).inc();
  }

  private CounterDataPoint counter(EngineEvent event) {
    return metrics.events.of(event.name().toLowerCase(Locale.ROOT));
  }

  /// Counts one event of an activation.
  ///
  /// @param age as in [EventPort#event]
  public void count(EngineEvent event, Activation activation, long age) {
    logged(event);
    switch (event) {
      case CLAIMED ->
          observe(
              metrics.receivedToClaimed.of(activation.namespace(), activation.taskname(), "true"),
              activation,
              age);
      case PUSHED ->
          observe(
              metrics.receivedToPush.of(activation.namespace(), activation.taskname()),
              activation,
              age);
      case PULLED ->
          observe(
              metrics.receivedToGetTask.of(activation.namespace(), activation.taskname()),
              activation,
              age);
      case COMPLETED -> {
        completed.inc();
        if (age >= 0) {
          observe(
              metrics.runTime.of(activation.application(), activation.taskname()), activation, age);
        }
      }
      case DISCARDED -> {
        failed.inc();
        metrics.cleanups.of("delete_discarded").inc();
      }
      case DEAD_LETTERED -> failed.inc();
      case DEAD_LETTER_PRODUCED -> {
        metrics.cleanups.of("publish_deadlettered").inc();
        metrics.deadLetterSize.observe(activation.payload().length);
      }
      case RETRY_PRODUCED -> retried.inc();
      case EXPIRED -> metrics.cleanups.of("removed_expired").inc();
      case EXPIRED_ON_ARRIVAL -> metrics.expiredAtConsumer.of(activation.origin().topic()).inc();
      case DELAY_ELAPSED -> delayElapsed.inc();
      case DEADLINE_PASSED -> metrics.cleanups.of("processing_deadline_exceeded").inc();
      case ATTEMPTS_EXCEEDED ->
          metrics.cleanups.of("mark_processing_attempts_exceeded_as_failure").inc();
      case LEASE_PASSED -> metrics.cleanups.of("claim_expiration_exceeded").inc();
      case KILLED_BY_NAME -> killed(activation, "whole_task");
      case KILLED_BY_SELECTOR -> killed(activation, "selector");
      case SWITCHED_OFF -> metrics.cleanups.of("removed_killswitched").inc();
      case DEMOTED -> {
        of(metrics.demoted, activation).inc();
        metrics.forwardAttempts.of(activation.origin().topic()).observe(1);
      }
      case DEMOTION_PRODUCED -> metrics.forwardSuccesses.of(activation.origin().topic()).observe(1);
      case DEMOTION_REFUSED -> {
        metrics.forwardFailures.of(activation.origin().topic()).observe(1);
        metrics.forwardFailed.of(activation.namespace(), activation.taskname()).inc();
      }
      case DEMOTION_SKIPPED -> of(metrics.demotionSkipped, activation).inc();
      case DEMOTED_IN_FLIGHT -> {
        metrics.forwarded.inc();
        metrics.forwardAttempts.of(activation.origin().topic()).observe(1);
        metrics.forwardedDemoted.of(activation.namespace(), activation.taskname()).inc();
      }
      case HELD_BY_PENDING -> heldBack(activation, "pending_limit");
      case HELD_BY_PROCESSING -> heldBack(activation, "processing_limit");
      case HELD_BY_STORE -> heldBack(activation, "db_size_limit");
      case HELD_BY_MEMORY -> heldBack(activation, "memory_limit");
      case HELD_BY_FORWARDING -> heldBack(activation, "forwarding_limit");
      case PUSH_REFUSED, RETRIED, QUARANTINED, UNDECODABLE, DUPLICATE, STALE_REPORT -> {}
      case UNKNOWN_ID, NO_WORKER -> {}
      case WORKER_UNREACHABLE, WORKER_OVERLOADED, WORKER_REJECTS, WORKER_DIED, WORKER_LOST -> {}
    }
  }

  /// Observes a duration, with the trace of the task as an exemplar if it is sampled.
  private void observe(DistributionDataPoint point, Activation activation, long age) {
    String trace = traces == null ? null : traces.sampledTrace(activation);
    if (trace == null) {
      point.observe(seconds(age));
    } else {
      point.observeWithExemplar(seconds(age), Labels.of(Exemplar.TRACE_ID, trace));
    }
  }

  private void killed(Activation activation, String match) {
    metrics.droppedByKillswitch.of(activation.origin().topic(), activation.taskname(), match).inc();
  }

  private static CounterDataPoint of(Labelled<CounterDataPoint> counters, Activation activation) {
    return counters.of(activation.origin().topic(), activation.namespace(), activation.taskname());
  }

  private void heldBack(Activation activation, String reason) {
    metrics.backpressure.of(activation.origin().topic(), reason).inc();
  }

  private static double seconds(long millis) {
    return Math.max(0, millis) / 1_000.0;
  }
}
