package io.taskbroker.lab.soak;

import io.taskbroker.lab.rig.TaskReader;
import io.taskbroker.testkit.ExecutionLog;

/// Who and what there is while the load runs.
///
/// @param log what workers did
/// @param runs the same with times, and the clock of the soak
/// @param letters the dead-letter topic
/// @param demoted the topic of demoted tasks
record SoakEnvironment(
    Faults.Victims victims,
    Workload workload,
    ExecutionLog log,
    Runs runs,
    TaskReader letters,
    TaskReader demoted) {
  ResultCheck.Evidence evidence() {
    return new ResultCheck.Evidence(
        workload, runs, log, letters::count, demoted::count, victims.publisher().failed());
  }

  /// Is larger whenever something has happened to a task.
  long movement() {
    return log.starts()
        + log.finishes()
        + log.acknowledged()
        + victims.publisher().published()
        + ended();
  }

  /// How many tasks have come to an end that leaves a trace; those with two count twice.
  int ended() {
    return log.completedTasks() + letters.tasks() + demoted.tasks();
  }
}
