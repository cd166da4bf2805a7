package io.taskbroker.admin;

import com.google.protobuf.Timestamp;
import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.schedule.ScheduleException;
import io.taskbroker.schedule.Schedules;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/// Operations on schedules. Thread-safe.
final class ScheduleApi {
  private static final int MAX_LIMIT = 1_000;
  private static final int NEXT_TIMES = 10;
  private static final int NOT_FOUND = 404;
  private static final long LONGEST_SECONDS = 366L * 86_400;
  private static final int PATIENCE_SECONDS = 15;

  private final Schedules schedules;
  private final ScheduleViews views;

  ScheduleApi(Schedules schedules, ScheduleViews views) {
    this.schedules = schedules;
    this.views = views;
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "GET",
            "/v1/schedules",
            Role.READ,
            "Lists the schedules by name.",
            List.of(
                new Param("limit", "integer", "Most schedules: 1 to 1000, 100 by default."),
                new Param("cursor", "string", "The `cursor` of the page before.")),
            null,
            Views.SchedulePage.class,
            this::list),
        new Route(
            "GET",
            "/v1/schedule-times",
            Role.READ,
            "The next slots that a schedule of these times would have; none without times.",
            List.of(
                new Param("cron", "string", "Five fields as in Unix."),
                new Param("time_zone", "string", "With `cron`: IANA name, UTC by default."),
                new Param("every_seconds", "integer", "In the place of `cron`: an interval."),
                new Param("phase_seconds", "integer", "With an interval: offset of the slots.")),
            null,
            Views.SlotTimes.class,
            this::times),
        route(
            "GET",
            "/v1/schedules/{name}",
            "One schedule in full, with its next times and its last firings.",
            null,
            Views.ScheduleDetail.class,
            request -> detail(answer(schedules.get(request.variable())))),
        route(
            "PUT",
            "/v1/schedules/{name}",
            "Creates or replaces a schedule; the same one again, or a dry run, changes nothing.",
            Bodies.ScheduleChange.class,
            Views.ScheduleDetail.class,
            this::put),
        route(
            "DELETE",
            "/v1/schedules/{name}",
            "Deletes a schedule. Tasks that it has enqueued stay.",
            Bodies.Reason.class,
            Views.Done.class,
            this::delete),
        route(
            "POST",
            "/v1/schedules/{name}/pause",
            "Pauses a schedule: its slots pass without a task.",
            Bodies.Reason.class,
            Views.Schedule.class,
            request -> ScheduleViews.summary(answer(schedules.pause(request.variable())))),
        route(
            "POST",
            "/v1/schedules/{name}/resume",
            "Resumes a schedule, with the first slot after now.",
            Bodies.Reason.class,
            Views.Schedule.class,
            request -> ScheduleViews.summary(answer(schedules.resume(request.variable())))),
        route(
            "POST",
            "/v1/schedules/{name}/run",
            "Enqueues the task of a schedule now, beside its slots.",
            Bodies.Reason.class,
            Views.EnqueuedTask.class,
            request -> new Views.EnqueuedTask(answer(schedules.runNow(request.variable(), "")))));
  }

  private static Route route(
      String method,
      String path,
      String summary,
      @Nullable Class<?> body,
      Class<?> answer,
      Route.Handler handler) {
    Role role = body == null ? Role.READ : Role.OPERATE;
    return new Route(method, path, role, summary, List.of(), body, answer, handler);
  }

  private Object list(ApiRequest request) throws InterruptedException {
    int limit = request.number("limit", 1, MAX_LIMIT).orElse(100L).intValue();
    Schedules.Page page = answer(schedules.list(request.text("cursor").orElse(""), limit));
    List<Views.Schedule> found = page.schedules().stream().map(ScheduleViews::summary).toList();
    return new Views.SchedulePage(
        found, page.more() ? Optional.of(found.getLast().name()) : Optional.empty());
  }

  private Object put(ApiRequest request) throws InterruptedException {
    var change = request.body(Bodies.ScheduleChange.class);
    Schedule schedule =
        views.definitions().schedule(request.variable(), change, stored(request.variable()));
    Optional<Timestamp> unchangedSince = change.ifUpdatedAt().map(ScheduleDefinitions::timestamp);
    return detail(
        answer(
            change.dryRun().orElse(false)
                ? schedules.preview(schedule, unchangedSince)
                : schedules.upsert(schedule, unchangedSince)));
  }

  private Optional<Schedule> stored(String name) throws InterruptedException {
    try {
      return Optional.of(answer(schedules.get(name)).getSchedule());
    } catch (ApiProblem problem) {
      if (problem.status() == NOT_FOUND) {
        return Optional.empty();
      }
      throw problem;
    }
  }

  private Object times(ApiRequest request) throws InterruptedException {
    Optional<String> cron = request.text("cron");
    Optional<Long> every = request.number("every_seconds", 1, LONGEST_SECONDS);
    if (cron.isEmpty() && every.isEmpty()) {
      return new Views.SlotTimes(List.of());
    }
    if (cron.isPresent() && every.isPresent()) {
      throw ApiProblem.invalid("Give either cron or every_seconds");
    }
    Schedule schedule =
        ScheduleDefinitions.times(
            cron,
            request.text("time_zone"),
            every,
            request.number("phase_seconds", 0, LONGEST_SECONDS));
    return new Views.SlotTimes(
        answer(schedules.nextTimes(schedule, NEXT_TIMES, schedules.now())).stream()
            .map(ScheduleDefinitions::instant)
            .toList());
  }

  private Object delete(ApiRequest request) throws InterruptedException {
    if (!answer(schedules.delete(request.variable()))) {
      throw new ApiProblem(
          NOT_FOUND, "Not found", "There is no schedule named " + request.variable());
    }
    return new Views.Done("The schedule is deleted.");
  }

  private Views.ScheduleDetail detail(ScheduleState state) throws InterruptedException {
    return views.detail(
        state, answer(schedules.nextTimes(state.getSchedule(), NEXT_TIMES, schedules.now())));
  }

  private static <T> T answer(CompletableFuture<T> asked) throws InterruptedException {
    try {
      return asked.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException _) {
      throw ApiProblem.unavailable(
          "The schedules did not answer within "
              + PATIENCE_SECONDS
              + " s: see /health; a change may still be made later");
    } catch (ExecutionException e) {
      if (e.getCause() instanceof ScheduleException refused) {
        throw problem(refused);
      }
      throw new IllegalStateException("Cannot use the schedules", e.getCause());
    }
  }

  private static ApiProblem problem(ScheduleException refused) {
    String detail = String.valueOf(refused.getMessage());
    return switch (refused.kind()) {
      case INVALID -> ApiProblem.invalid(detail);
      case NOT_FOUND -> new ApiProblem(NOT_FOUND, "Not found", detail);
      case FULL, REFUSED -> new ApiProblem(409, "Refused", detail);
      case UNAVAILABLE -> ApiProblem.unavailable(detail);
    };
  }
}
