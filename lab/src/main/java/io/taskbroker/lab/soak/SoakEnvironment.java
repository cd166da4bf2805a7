package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.TaskReader;
import io.taskbroker.testkit.ExecutionLog;

/// Participants of a running soak.
///
/// @param log what workers did
/// @param runs the same with times, and the clock of the soak
/// @param letters reader of the dead-letter topic
/// @param demoted reader of the topic of demoted tasks
record SoakEnvironment(
    FaultInjector.Victims victims,
    Workload workload,
    ExecutionLog log,
    Runs runs,
    TaskReader letters,
    TaskReader demoted) {
  ResultCheck.Evidence evidence() {
    return new ResultCheck.Evidence(
        workload, runs, log, letters::count, demoted::count, victims.publisher().failed());
  }

  /// Counter that increases whenever something happens to a task.
  long movement() {
    return log.starts()
        + log.finishes()
        + log.acknowledged()
        + victims.publisher().published()
        + ended();
  }

  /// Number of ended tasks, as far as visible; tasks with two ends count twice.
  int ended() {
    return log.completedTasks() + letters.tasks() + demoted.tasks();
  }
}
