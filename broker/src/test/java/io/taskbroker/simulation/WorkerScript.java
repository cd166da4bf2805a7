package io.taskbroker.simulation;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Scripted behaviour of workers, where it is not random.
final class WorkerScript {
  /// Duration of an [Act] that never reports.
  static final long NEVER = -1;

  private final Map<String, List<Act>> acts = new HashMap<>();
  private final Map<String, PushOutcome> answers = new HashMap<>();
  private final Map<String, Integer> executions = new HashMap<>();
  private final Set<String> down = new HashSet<>();
  private boolean patient;

  /// Makes workers repeat every report until it is acknowledged.
  void bePatient() {
    patient = true;
  }

  boolean isPatient() {
    return patient;
  }

  /// One execution of a task.
  ///
  /// @param takes nanoseconds, [#NEVER] for no report
  record Act(long takes, Status status) {}

  /// Scripts the executions of the task in order; further ones complete.
  void act(String id, Act... each) {
    acts.put(id, List.of(each));
  }

  /// Sets the reply to pushes of this task, which does not run.
  void answer(String id, PushOutcome outcome) {
    answers.put(id, outcome);
  }

  /// Takes the workers of an application down, or brings them back.
  void down(String application, boolean away) {
    if (away) {
      down.add(application);
    } else {
      down.remove(application);
    }
  }

  @Nullable PushOutcome answer(String id, String application) {
    return down.contains(application) ? PushOutcome.UNREACHABLE : answers.get(id);
  }

  /// A worker starts the task; null if its behaviour is random.
  @Nullable Act begin(String id) {
    int times = executions.merge(id, 1, Integer::sum);
    List<Act> planned = acts.get(id);
    if (planned == null) {
      return null;
    }
    return times <= planned.size()
        ? planned.get(times - 1)
        : new Act(SimulatedWorld.MS, Status.COMPLETE);
  }

  /// Number of executions started.
  int executions(String id) {
    return executions.getOrDefault(id, 0);
  }
}
