package io.taskbroker.admin;

import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.payload.DecodedPayload;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Schedules in the form of the API. Immutable.
record ScheduleViews(ScheduleDefinitions definitions) {
  private static final String DEFAULT_NAME = "default";

  static Views.Schedule summary(ScheduleState state) {
    Schedule schedule = state.getSchedule();
    Task task = schedule.getTask();
    return new Views.Schedule(
        schedule.getName(),
        ScheduleDefinitions.text(schedule.getCron().getExpression()),
        ScheduleDefinitions.text(schedule.getCron().getTimeZone()),
        schedule.hasEvery() ? Optional.of(seconds(schedule.getEvery())) : Optional.empty(),
        state.getPaused(),
        state.hasNextSlot()
            ? Optional.of(ScheduleDefinitions.instant(state.getNextSlot()))
            : Optional.empty(),
        state.hasLastSlot()
            ? Optional.of(ScheduleDefinitions.instant(state.getLastSlot()))
            : Optional.empty(),
        ScheduleDefinitions.text(state.getLastTaskId()),
        ScheduleDefinitions.text(task.getApplication()).orElse(DEFAULT_NAME),
        ScheduleDefinitions.text(task.getNamespace()).orElse(DEFAULT_NAME),
        task.getName(),
        ScheduleDefinitions.text(schedule.getDescription()));
  }

  Views.ScheduleDetail detail(ScheduleState state, List<Timestamp> nextTimes) {
    Schedule schedule = state.getSchedule();
    // A task has the field numbers of an activation.
    DecodedPayload decoded =
        DecodedPayload.of(schedule.getTask().toByteArray(), definitions.redaction());
    return new Views.ScheduleDetail(
        summary(state),
        schedule.hasPhase() ? Optional.of(seconds(schedule.getPhase())) : Optional.empty(),
        schedule.hasStart()
            ? Optional.of(ScheduleDefinitions.instant(schedule.getStart()))
            : Optional.empty(),
        schedule.hasEnd()
            ? Optional.of(ScheduleDefinitions.instant(schedule.getEnd()))
            : Optional.empty(),
        schedule.hasJitter() ? Optional.of(seconds(schedule.getJitter())) : Optional.empty(),
        switch (schedule.getMissed()) {
          case MISSED_SLOTS_SKIP -> "skip";
          case MISSED_SLOTS_ALL -> "all";
          case MISSED_SLOTS_UNSPECIFIED, MISSED_SLOTS_LATEST, UNRECOGNIZED -> "latest";
        },
        schedule.getMissedLimit() == 0 ? Optional.empty() : Optional.of(schedule.getMissedLimit()),
        decoded.headers(),
        decoded.arguments(),
        ScheduleDefinitions.text(decoded.problem()),
        definitions.definition(schedule),
        ScheduleDefinitions.instant(state.getCreatedAt()),
        ScheduleDefinitions.instant(state.getUpdatedAt()),
        nextTimes.stream().map(ScheduleDefinitions::instant).toList(),
        state.getLastFiringsList().stream()
            .map(firing ->
                new Views.Firing(
                    ScheduleDefinitions.instant(firing.getSlot()),
                    ScheduleDefinitions.instant(firing.getAt()),
                    outcome(firing.getOutcome()),
                    ScheduleDefinitions.text(firing.getTaskId())))
            .toList());
  }

  private static String outcome(FiringOutcome outcome) {
    return outcome.name().replace("FIRING_OUTCOME_", "").toLowerCase(Locale.ROOT);
  }

  private static double seconds(Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }
}
