package io.taskbroker.admin;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.payload.DecodedPayload;
import io.taskbroker.payload.Redaction;
import io.taskbroker.protocol.v1.FiringOutcome;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import tools.jackson.databind.json.JsonMapper;

/// Schedules in the form of the API. Immutable.
///
/// @param redaction hides secret values of arguments and headers
record ScheduleViews(Redaction redaction) {
  private static final String DEFAULT_NAME = "default";

  /// @param json writes the arguments
  static Schedule schedule(String name, Bodies.ScheduleChange change, JsonMapper json) {
    if (change.task() == null || change.task().taskname() == null) {
      throw ApiProblem.invalid("task.taskname is missing");
    }
    Schedule.Builder schedule = Schedule.newBuilder().setName(name);
    if (change.cron().isPresent() == change.everySeconds().isPresent()) {
      throw ApiProblem.invalid("Send either cron or every_seconds");
    }
    change.cron().ifPresent(cron -> schedule.getCronBuilder().setExpression(cron));
    change
        .timeZone()
        .ifPresent(zone -> {
          if (change.cron().isEmpty()) {
            throw ApiProblem.invalid("time_zone is for schedules with cron");
          }
          schedule.getCronBuilder().setTimeZone(zone);
        });
    change.everySeconds().ifPresent(every -> schedule.setEvery(seconds(every)));
    change.phaseSeconds().ifPresent(phase -> schedule.setPhase(seconds(phase)));
    change.jitterSeconds().ifPresent(jitter -> schedule.setJitter(seconds(jitter)));
    change.start().ifPresent(start -> schedule.setStart(timestamp(start)));
    change.end().ifPresent(end -> schedule.setEnd(timestamp(end)));
    change.missed().ifPresent(missed -> schedule.setMissed(missed(missed)));
    change.missedLimit().ifPresent(schedule::setMissedLimit);
    change.description().ifPresent(schedule::setDescription);
    return schedule.setTask(task(change.task(), json)).build();
  }

  private static Task task(Bodies.ScheduledTask given, JsonMapper json) {
    Task.Builder task = Task.newBuilder().setName(given.taskname());
    given.namespace().ifPresent(task::setNamespace);
    given.application().ifPresent(task::setApplication);
    given
        .arguments()
        .ifPresent(value -> task.setArguments(ByteString.copyFrom(json.writeValueAsBytes(value))));
    given
        .headers()
        .ifPresent(headers -> {
          if (headers.containsValue(null)) {
            throw ApiProblem.invalid("task.headers must be texts");
          }
          task.putAllHeaders(headers);
        });
    given.deadlineSeconds().ifPresent(task::setDeadlineSeconds);
    given.expiresSeconds().ifPresent(task::setExpiresSeconds);
    given.delaySeconds().ifPresent(task::setDelaySeconds);
    given.maxAttempts().ifPresent(task.getRetryBuilder()::setMaxAttempts);
    given.retryDelaySeconds().ifPresent(task.getRetryBuilder()::setDelaySeconds);
    given.atMostOnce().ifPresent(task.getRetryBuilder()::setAtMostOnce);
    given
        .onFailure()
        .ifPresent(action ->
            task.getRetryBuilder()
                .setOnFailure(
                    switch (action) {
                      case "discard" -> OnFailure.ON_FAILURE_DISCARD;
                      case "dead_letter" -> OnFailure.ON_FAILURE_DEAD_LETTER;
                      default ->
                          throw ApiProblem.invalid(
                              "task.on_failure must be discard or dead_letter");
                    }));
    return task.build();
  }

  private static MissedSlots missed(String name) {
    return switch (name) {
      case "latest" -> MissedSlots.MISSED_SLOTS_LATEST;
      case "skip" -> MissedSlots.MISSED_SLOTS_SKIP;
      case "all" -> MissedSlots.MISSED_SLOTS_ALL;
      default -> throw ApiProblem.invalid("missed must be latest, skip or all");
    };
  }

  static Views.Schedule summary(ScheduleState state) {
    Schedule schedule = state.getSchedule();
    Task task = schedule.getTask();
    return new Views.Schedule(
        schedule.getName(),
        text(schedule.getCron().getExpression()),
        text(schedule.getCron().getTimeZone()),
        schedule.hasEvery() ? Optional.of(seconds(schedule.getEvery())) : Optional.empty(),
        state.getPaused(),
        state.hasNextSlot() ? Optional.of(instant(state.getNextSlot())) : Optional.empty(),
        state.hasLastSlot() ? Optional.of(instant(state.getLastSlot())) : Optional.empty(),
        text(state.getLastTaskId()),
        text(task.getApplication()).orElse(DEFAULT_NAME),
        text(task.getNamespace()).orElse(DEFAULT_NAME),
        task.getName(),
        text(schedule.getDescription()));
  }

  Views.ScheduleDetail detail(ScheduleState state, List<Timestamp> nextTimes) {
    Schedule schedule = state.getSchedule();
    // A task has the field numbers of an activation.
    DecodedPayload decoded = DecodedPayload.of(schedule.getTask().toByteArray(), redaction);
    return new Views.ScheduleDetail(
        summary(state),
        schedule.hasPhase() ? Optional.of(seconds(schedule.getPhase())) : Optional.empty(),
        schedule.hasStart() ? Optional.of(instant(schedule.getStart())) : Optional.empty(),
        schedule.hasEnd() ? Optional.of(instant(schedule.getEnd())) : Optional.empty(),
        schedule.hasJitter() ? Optional.of(seconds(schedule.getJitter())) : Optional.empty(),
        switch (schedule.getMissed()) {
          case MISSED_SLOTS_SKIP -> "skip";
          case MISSED_SLOTS_ALL -> "all";
          case MISSED_SLOTS_UNSPECIFIED, MISSED_SLOTS_LATEST, UNRECOGNIZED -> "latest";
        },
        schedule.getMissedLimit() == 0 ? Optional.empty() : Optional.of(schedule.getMissedLimit()),
        decoded.headers(),
        decoded.arguments(),
        text(decoded.problem()),
        instant(state.getCreatedAt()),
        instant(state.getUpdatedAt()),
        nextTimes.stream().map(ScheduleViews::instant).toList(),
        state.getLastFiringsList().stream()
            .map(firing ->
                new Views.Firing(
                    instant(firing.getSlot()),
                    instant(firing.getAt()),
                    outcome(firing.getOutcome()),
                    text(firing.getTaskId())))
            .toList());
  }

  private static String outcome(FiringOutcome outcome) {
    return outcome.name().replace("FIRING_OUTCOME_", "").toLowerCase(Locale.ROOT);
  }

  private static Optional<String> text(String value) {
    return Optional.of(value).filter(text -> !text.isEmpty());
  }

  private static Duration seconds(long seconds) {
    return Duration.newBuilder().setSeconds(seconds).build();
  }

  private static double seconds(Duration duration) {
    return duration.getSeconds() + duration.getNanos() / 1e9;
  }

  private static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  private static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
