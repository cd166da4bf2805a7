package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.inflight.api.EngineStats;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Counters of tasks by application and task name. At most [#MAX] of them have names of their own,
/// whatever names arrive (W46): past that, a new name of a known application counts as its `other`,
/// and a new application as `other`. They last as long as the process, as counters do. Not
/// thread-safe.
final class TaskCounters {
  /// Maximum of counters with names of their own.
  static final int MAX = 500;

  /// Name of the counter of all other tasks.
  static final String OTHER = "other";

  private final Map<String, Map<String, TaskCounter>> counters = new HashMap<>();
  private final List<TaskCounter> all = new ArrayList<>();
  private int named;

  TaskCounter of(Activation activation) {
    Map<String, TaskCounter> tasks = counters.get(activation.application());
    TaskCounter known = tasks == null ? null : tasks.get(activation.taskname());
    return known == null ? add(activation) : known;
  }

  private TaskCounter add(Activation activation) {
    String application = activation.application();
    Map<String, TaskCounter> tasks = counters.get(application);
    if (named < MAX) {
      named++;
      return make(application, activation.taskname(), activation.namespace());
    }
    String owner = tasks == null ? OTHER : application;
    Map<String, TaskCounter> owned = counters.getOrDefault(owner, Map.of());
    TaskCounter other = owned.get(OTHER);
    return other == null ? make(owner, OTHER, "") : other;
  }

  private TaskCounter make(String application, String taskname, String namespace) {
    var counter = new TaskCounter(application, taskname, namespace);
    counters.computeIfAbsent(application, _ -> new HashMap<>()).put(taskname, counter);
    all.add(counter);
    return counter;
  }

  List<EngineStats.Task> snapshot() {
    return all.stream().map(TaskCounter::snapshot).toList();
  }
}
