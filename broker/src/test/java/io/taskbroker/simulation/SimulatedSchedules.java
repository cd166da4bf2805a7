package io.taskbroker.simulation;

import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.schedule.SteppedSchedules;
import io.taskbroker.store.StoreQuery;
import java.util.function.Consumer;

/// Schedules of one broker process: the real stage on a simulated thread.
final class SimulatedSchedules {
  private final SteppedSchedules schedules;
  private final SimulatedThread thread;

  /// @param committer takes queries to the store
  SimulatedSchedules(
      SimulatedProcess process,
      Consumer<StoreQuery> committer,
      CommandSink sink,
      boolean shared,
      SystemContext context) {
    thread = new SimulatedThread(process, "schedules", this::turn);
    schedules =
        new SteppedSchedules(
            committer, new ObservedFirings(process, sink), shared, context, thread);
  }

  private void turn() throws InterruptedException {
    schedules.turn();
  }

  Schedules stage() {
    return schedules.stage();
  }

  void start() {
    thread.start();
  }

  /// Stops the stage.
  void stop() {
    thread.end();
    schedules.stage().stop();
  }

  /// Its process ended.
  void died() {
    thread.end();
  }
}
