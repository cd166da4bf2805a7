package io.taskbroker.admin;

import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import io.taskbroker.payload.Redaction;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.Task;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.MissingNode;

/// Schedules from the form in which operators put them, and back. Secret values of arguments and
/// headers leave as `[redacted]`, and one that comes back so keeps its value. Immutable.
///
/// @param json reads and writes the arguments
record ScheduleDefinitions(Redaction redaction, JsonMapper json) {

  /// The schedule that an operator puts.
  ///
  /// @param stored the schedule of that name, if there is one
  /// @throws ApiProblem if it is invalid
  Schedule schedule(String name, Bodies.ScheduleChange change, Optional<Schedule> stored) {
    if (change.task() == null || change.task().taskname() == null) {
      throw ApiProblem.invalid("task.taskname is missing");
    }
    Schedule.Builder schedule = Schedule.newBuilder().setName(name);
    if (change.cron().isPresent() == change.everySeconds().isPresent()) {
      throw ApiProblem.invalid("Send either cron or every_seconds");
    }
    times(schedule, change.cron(), change.timeZone(), change.everySeconds(), change.phaseSeconds());
    change.jitterSeconds().ifPresent(jitter -> schedule.setJitter(seconds(jitter)));
    change.start().ifPresent(start -> schedule.setStart(timestamp(start)));
    change.end().ifPresent(end -> schedule.setEnd(timestamp(end)));
    change.missed().ifPresent(missed -> schedule.setMissed(missed(missed)));
    change.missedLimit().ifPresent(schedule::setMissedLimit);
    change.description().ifPresent(schedule::setDescription);
    return schedule.setTask(task(change.task(), stored.map(Schedule::getTask))).build();
  }

  /// Only the times of a schedule.
  static Schedule times(
      Optional<String> cron,
      Optional<String> timeZone,
      Optional<Long> everySeconds,
      Optional<Long> phaseSeconds) {
    Schedule.Builder schedule = Schedule.newBuilder();
    times(schedule, cron, timeZone, everySeconds, phaseSeconds);
    return schedule.build();
  }

  private static void times(
      Schedule.Builder schedule,
      Optional<String> cron,
      Optional<String> timeZone,
      Optional<Long> everySeconds,
      Optional<Long> phaseSeconds) {
    cron.ifPresent(expression -> schedule.getCronBuilder().setExpression(expression));
    timeZone.ifPresent(zone -> {
      if (cron.isEmpty()) {
        throw ApiProblem.invalid("time_zone is for schedules with cron");
      }
      schedule.getCronBuilder().setTimeZone(zone);
    });
    everySeconds.ifPresent(every -> schedule.setEvery(seconds(every)));
    phaseSeconds.ifPresent(phase -> schedule.setPhase(seconds(phase)));
  }

  private Task task(Bodies.ScheduledTask given, Optional<Task> stored) {
    Task.Builder task = Task.newBuilder().setName(given.taskname());
    given.namespace().ifPresent(task::setNamespace);
    given.application().ifPresent(task::setApplication);
    given
        .arguments()
        .ifPresent(value -> {
          JsonNode kept =
              restored(
                  json.valueToTree(value),
                  stored.flatMap(this::arguments).orElseGet(MissingNode::getInstance));
          task.setArguments(ByteString.copyFrom(json.writeValueAsBytes(kept)));
        });
    given
        .headers()
        .ifPresent(headers -> {
          if (headers.containsValue(null)) {
            throw ApiProblem.invalid("task.headers must be texts");
          }
          JsonNode kept =
              restored(
                  json.valueToTree(headers),
                  json.valueToTree(stored.map(Task::getHeadersMap).orElse(Map.of())));
          kept.properties()
              .forEach(each -> task.putHeaders(each.getKey(), each.getValue().asString()));
        });
    given.deadlineSeconds().ifPresent(task::setDeadlineSeconds);
    given.expiresSeconds().ifPresent(task::setExpiresSeconds);
    given.delaySeconds().ifPresent(task::setDelaySeconds);
    given.maxAttempts().ifPresent(task.getRetryBuilder()::setMaxAttempts);
    given.retryDelaySeconds().ifPresent(task.getRetryBuilder()::setDelaySeconds);
    given.atMostOnce().ifPresent(task.getRetryBuilder()::setAtMostOnce);
    given.onFailure().ifPresent(name -> task.getRetryBuilder().setOnFailure(onFailure(name)));
    return withoutEmptyRetry(task.build());
  }

  private JsonNode restored(JsonNode changed, JsonNode original) {
    try {
      return redaction.restore(changed, original);
    } catch (IllegalArgumentException e) {
      throw ApiProblem.invalid("task: " + e.getMessage());
    }
  }

  private static Task withoutEmptyRetry(Task task) {
    return task.getRetry().equals(RetryPolicy.getDefaultInstance())
        ? task.toBuilder().clearRetry().build()
        : task;
  }

  /// The form in which a schedule can be put; empty if that would lose something.
  Optional<Views.ScheduleDefinition> definition(Schedule schedule) {
    Optional<JsonNode> arguments = arguments(schedule.getTask());
    if (arguments.isPresent() != !schedule.getTask().getArguments().isEmpty()
        || !arguments.map(BrowserNumbers::survive).orElse(true)) {
      return Optional.empty();
    }
    var definition =
        new Views.ScheduleDefinition(
            text(schedule.getCron().getExpression()),
            text(schedule.getCron().getTimeZone()),
            schedule.hasEvery() ? Optional.of(schedule.getEvery().getSeconds()) : Optional.empty(),
            schedule.hasPhase() ? Optional.of(schedule.getPhase().getSeconds()) : Optional.empty(),
            schedule.hasStart() ? Optional.of(instant(schedule.getStart())) : Optional.empty(),
            schedule.hasEnd() ? Optional.of(instant(schedule.getEnd())) : Optional.empty(),
            schedule.hasJitter()
                ? Optional.of(schedule.getJitter().getSeconds())
                : Optional.empty(),
            missed(schedule.getMissed()),
            schedule.getMissedLimit() == 0
                ? Optional.empty()
                : Optional.of(schedule.getMissedLimit()),
            text(schedule.getDescription()),
            task(schedule.getTask(), arguments.map(redaction::hide)));
    return isWhole(definition, schedule) ? Optional.of(definition) : Optional.empty();
  }

  private Bodies.ScheduledTask task(Task task, Optional<JsonNode> arguments) {
    RetryPolicy retry = task.getRetry();
    return new Bodies.ScheduledTask(
        task.getName(),
        text(task.getNamespace()),
        task.hasApplication() ? Optional.of(task.getApplication()) : Optional.empty(),
        arguments.<Object>map(value -> value),
        task.getHeadersCount() == 0
            ? Optional.empty()
            : Optional.of(redaction.hide(task.getHeadersMap())),
        task.getDeadlineSeconds() == 0 ? Optional.empty() : Optional.of(task.getDeadlineSeconds()),
        task.hasExpiresSeconds() ? Optional.of(task.getExpiresSeconds()) : Optional.empty(),
        task.hasDelaySeconds() ? Optional.of(task.getDelaySeconds()) : Optional.empty(),
        retry.getMaxAttempts() == 0 ? Optional.empty() : Optional.of(retry.getMaxAttempts()),
        retry.hasDelaySeconds() ? Optional.of(retry.getDelaySeconds()) : Optional.empty(),
        switch (retry.getOnFailure()) {
          case ON_FAILURE_DISCARD -> Optional.of("discard");
          case ON_FAILURE_DEAD_LETTER -> Optional.of("dead_letter");
          case ON_FAILURE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        },
        retry.hasAtMostOnce() ? Optional.of(retry.getAtMostOnce()) : Optional.empty());
  }

  /// Whether a definition, put, gives the schedule again.
  private boolean isWhole(Views.ScheduleDefinition from, Schedule schedule) {
    var change =
        new Bodies.ScheduleChange(
            from.cron(),
            from.timeZone(),
            from.everySeconds(),
            from.phaseSeconds(),
            from.start(),
            from.end(),
            from.jitterSeconds(),
            from.missed(),
            from.missedLimit(),
            from.description(),
            from.task(),
            Optional.empty(),
            Optional.empty(),
            "");
    Schedule again = schedule(schedule.getName(), change, Optional.of(schedule));
    return arguments(again.getTask()).equals(arguments(schedule.getTask()))
        && withoutArguments(again).equals(withoutArguments(schedule));
  }

  private static Schedule withoutArguments(Schedule schedule) {
    return schedule.toBuilder()
        .setTask(withoutEmptyRetry(schedule.getTask()).toBuilder().clearArguments())
        .build();
  }

  /// The arguments, if they are a JSON object or list.
  private Optional<JsonNode> arguments(Task task) {
    if (task.getArguments().isEmpty()) {
      return Optional.empty();
    }
    try {
      return Optional.of(json.readTree(task.getArguments().toByteArray()))
          .filter(JsonNode::isContainer);
    } catch (JacksonException _) {
      return Optional.empty();
    }
  }

  private static OnFailure onFailure(String name) {
    return switch (name) {
      case "discard" -> OnFailure.ON_FAILURE_DISCARD;
      case "dead_letter" -> OnFailure.ON_FAILURE_DEAD_LETTER;
      default -> throw ApiProblem.invalid("task.on_failure must be discard or dead_letter");
    };
  }

  private static MissedSlots missed(String name) {
    return switch (name) {
      case "latest" -> MissedSlots.MISSED_SLOTS_LATEST;
      case "skip" -> MissedSlots.MISSED_SLOTS_SKIP;
      case "all" -> MissedSlots.MISSED_SLOTS_ALL;
      default -> throw ApiProblem.invalid("missed must be latest, skip or all");
    };
  }

  private static Optional<String> missed(MissedSlots missed) {
    return switch (missed) {
      case MISSED_SLOTS_LATEST -> Optional.of("latest");
      case MISSED_SLOTS_SKIP -> Optional.of("skip");
      case MISSED_SLOTS_ALL -> Optional.of("all");
      case MISSED_SLOTS_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
    };
  }

  static Optional<String> text(String value) {
    return Optional.of(value).filter(text -> !text.isEmpty());
  }

  private static Duration seconds(long seconds) {
    return Duration.newBuilder().setSeconds(seconds).build();
  }

  static Timestamp timestamp(Instant time) {
    return Timestamp.newBuilder()
        .setSeconds(time.getEpochSecond())
        .setNanos(time.getNano())
        .build();
  }

  static Instant instant(Timestamp time) {
    return Instant.ofEpochSecond(time.getSeconds(), time.getNanos());
  }
}
