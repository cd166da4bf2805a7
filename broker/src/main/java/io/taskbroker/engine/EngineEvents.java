package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.TaskHistory;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EventPort;
import io.taskbroker.inflight.api.TaskLifecycle;
import io.taskbroker.telemetry.Metrics;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Counts and logs the engine's events. Confined to the engine's thread.
public final class EngineEvents implements EventPort {
  private final EngineCounts counts;
  private final EventLog log = new EventLog();
  private final @Nullable TaskStepLog steps;

  /// Events without an audit stream of the steps of tasks.
  public EngineEvents(Metrics metrics) {
    this(metrics, Optional.empty());
  }

  /// @param steps audit stream of the steps of tasks
  public EngineEvents(Metrics metrics, Optional<TaskStepLog> steps) {
    this.counts = new EngineCounts(metrics);
    this.steps = steps.orElse(null);
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
  public boolean follows() {
    return log.follows();
  }

  @Override
  public void follow(TaskLifecycle step, Activation activation, String detail) {
    log.follow(step, activation, detail);
  }

  @Override
  public boolean audits() {
    return steps != null;
  }

  @Override
  public void step(TaskHistory.Step step, Activation about, long at, String detail) {
    if (steps != null) {
      steps.step(step, about, at, detail);
    }
  }
}
