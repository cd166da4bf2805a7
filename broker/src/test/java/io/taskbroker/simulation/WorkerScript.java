package io.taskbroker.simulation;

import io.taskbroker.activation.Status;
import io.taskbroker.inflight.PushOutcome;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the workers of a told history do, where it is not left to chance.
final class WorkerScript {
  /// Never, in [Act].
  static final long NEVER = -1;

  private final Map<String, List<Act>> acts = new HashMap<>();
  private final Map<String, PushOutcome> answers = new HashMap<>();
  private final Map<String, Integer> executions = new HashMap<>();
  private final Set<String> down = new HashSet<>();
  private boolean patient;

  /// Workers repeat every report until it is answered.
  void bePatient() {
    patient = true;
  }

  boolean isPatient() {
    return patient;
  }

  /// One execution of a task.
  ///
  /// @param takes nanoseconds, [#NEVER] if nothing is heard of it
  record Act(long takes, Status status) {}

  /// The first execution of the task, the second, and so on; what comes after these completes.
  void act(String id, Act... each) {
    acts.put(id, List.of(each));
  }

  /// Pushes of this task are answered so, and it does not run.
  void answer(String id, PushOutcome outcome) {
    answers.put(id, outcome);
  }

  /// The workers of an application are away, or back.
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

  /// A worker begins the task; null if the rest is left to chance.
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

  /// How often workers began it.
  int executions(String id) {
    return executions.getOrDefault(id, 0);
  }
}
