package io.taskbroker;

import io.taskbroker.activation.TaskHistory;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.TaskStepConfig;
import io.taskbroker.engine.TaskStepLog;
import io.taskbroker.outbox.TaskStepTopic;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.TaskStepFile;
import io.taskbroker.telemetry.TaskStepSink;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/// Audit stream of the steps of tasks, as configured: to a file, to a topic, to both or to none.
final class TaskSteps {
  private final Optional<TaskStepFile> file;
  private final Optional<TaskStepTopic> topic;
  private final List<TaskHistory.Step> chosen;

  TaskSteps(BrokerConfig config) {
    TaskStepConfig steps = config.taskSteps();
    file =
        steps
            .file()
            .map(path ->
                new TaskStepFile(path, new TaskStepFile.Rotation(steps.maxSize(), steps.kept())));
    topic =
        steps
            .topic()
            .map(
                name -> new TaskStepTopic(name, config.kafka().clusterOf(name).clientProperties()));
    chosen = steps.steps().stream().map(step -> TaskHistory.Step.valueOf(step.name())).toList();
  }

  /// Writer of the chosen steps; empty if nobody wants them.
  Optional<TaskStepLog> log() {
    var sinks = new ArrayList<TaskStepSink>();
    file.ifPresent(sinks::add);
    topic.ifPresent(sinks::add);
    return sinks.isEmpty() ? Optional.empty() : Optional.of(new TaskStepLog(sinks, chosen));
  }

  /// Adds what must be stopped, and the numbers of dropped steps by channel.
  void register(List<Service> services, Map<String, LongSupplier> dropped) {
    file.ifPresent(it -> {
      services.add(it);
      dropped.put("task_steps", it::dropped);
    });
    topic.ifPresent(it -> {
      services.add(it);
      dropped.put("task_step_topic", it::dropped);
    });
  }
}
