package io.taskbroker.cli;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.protocol.v1.Firing;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/// Schedules as text and as JSON. Stateless.
final class ScheduleView {
  private ScheduleView() {}

  /// When its slots are.
  static String times(Schedule schedule) {
    return schedule.hasCron()
        ? schedule.getCron().getExpression() + " " + schedule.getCron().getTimeZone()
        : "every " + text(schedule.getEvery());
  }

  static String next(ScheduleState state) {
    return state.getPaused() ? "paused" : state.hasNextSlot() ? text(state.getNextSlot()) : "none";
  }

  static String text(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos()).toString();
  }

  private static String text(Duration duration) {
    return java.time.Duration.ofSeconds(duration.getSeconds(), duration.getNanos())
        .toString()
        .substring(2)
        .toLowerCase(Locale.ROOT);
  }

  static String outcome(FiringOutcome outcome) {
    return outcome.name().replace("FIRING_OUTCOME_", "").toLowerCase(Locale.ROOT);
  }

  /// Members of a JSON object, without the arguments unless they are text.
  static Map<String, Object> json(ScheduleState state) {
    Schedule schedule = state.getSchedule();
    Task task = schedule.getTask();
    var json = new LinkedHashMap<String, Object>();
    json.put("name", schedule.getName());
    if (schedule.hasCron()) {
      json.put("cron", schedule.getCron().getExpression());
      json.put("time_zone", schedule.getCron().getTimeZone());
    } else {
      json.put(
          "every_seconds", schedule.getEvery().getSeconds() + schedule.getEvery().getNanos() / 1e9);
    }
    json.put("paused", state.getPaused());
    if (state.hasNextSlot()) {
      json.put("next_slot", text(state.getNextSlot()));
    }
    if (state.hasLastSlot()) {
      json.put("last_slot", text(state.getLastSlot()));
      json.put("last_task_id", state.getLastTaskId());
    }
    json.put("application", task.getApplication());
    json.put("namespace", task.getNamespace());
    json.put("taskname", task.getName());
    if (task.getArguments().isValidUtf8()) {
      json.put("arguments", task.getArguments().toStringUtf8());
    }
    if (!schedule.getDescription().isEmpty()) {
      json.put("description", schedule.getDescription());
    }
    json.put("created_at", text(state.getCreatedAt()));
    json.put("updated_at", text(state.getUpdatedAt()));
    json.put("last_firings", state.getLastFiringsList().stream().map(ScheduleView::json).toList());
    return json;
  }

  private static Map<String, Object> json(Firing firing) {
    var json = new LinkedHashMap<String, Object>();
    json.put("slot", text(firing.getSlot()));
    json.put("at", text(firing.getAt()));
    json.put("outcome", outcome(firing.getOutcome()));
    if (!firing.getTaskId().isEmpty()) {
      json.put("task_id", firing.getTaskId());
    }
    return json;
  }
}
