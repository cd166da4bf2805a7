package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.inflight.api.TaskSpan;
import io.taskbroker.telemetry.Metrics;
import org.jspecify.annotations.Nullable;

/// Counts, logs and traces the engine's events. Confined to the engine's thread.
public final class EngineEvents implements EventPort {
  private final EngineCounts counts;
  private final EventLog log = new EventLog();
  private final @Nullable TaskTraces traces;

  /// @param traces null if tasks are not traced
  public EngineEvents(Metrics metrics, @Nullable TaskTraces traces) {
    this.counts = new EngineCounts(metrics, traces);
    this.traces = traces;
  }

  @Override
  public void event(EngineEvent event, Activation about, long age, String detail) {
    counts.count(event, about, age);
    if (event.isLogged()) {
      log.event(event, about, detail);
    }
  }

  @Override
  public void event(EngineEvent event, String id, String detail) {
    counts.count(event, id);
    log.event(event, id, detail);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    counts.unexpected(change, outcome);
    log.unexpected(change, outcome);
  }

  @Override
  public boolean traces() {
    return traces != null;
  }

  @Override
  public void span(TaskSpan span) {
    if (traces != null) {
      traces.ended(span);
    }
  }

  @Override
  public boolean follows() {
    return log.follows();
  }

  @Override
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    log.follow(step, activation, detail);
  }
}
