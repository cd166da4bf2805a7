package io.taskbroker.admin;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.TaskHistory;
import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.store.FinishedPage;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowBrowser.Position;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Operations that read the records of finished tasks. Thread-safe.
final class FinishedApi {
  private static final List<Param> SEARCH =
      List.of(
          new Param("id", "string", "Id of the task, or of the first attempt of its retries."),
          new Param("application", "string", "Its application."),
          new Param("namespace", "string", "Its namespace."),
          new Param("taskname", "string", "Its task name."),
          new Param("outcome", "string", "How it ended, such as `failed`."),
          new Param("ended_from", "string", "Earliest end, such as `2026-01-31T12:00:00Z`."),
          new Param("ended_to", "string", "End before this time."),
          new Param("message", "string", "Text in its failure message, in any case."),
          new Param("limit", "integer", "Most tasks of the page: 1 to 1000, 100 by default."),
          new Param("cursor", "string", "The `cursor` of the page before."));

  private final RowBrowser rows;

  FinishedApi(RowBrowser rows) {
    this.rows = rows;
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "GET",
            "/v1/finished",
            Role.READ,
            "Searches the finished tasks, newest first.",
            SEARCH,
            null,
            Views.FinishedPage.class,
            this::search),
        new Route(
            "GET",
            "/v1/finished/{id}",
            Role.READ,
            "The latest record of a finished task, with its history.",
            List.of(),
            null,
            Views.FinishedDetail.class,
            this::task));
  }

  private Object search(ApiRequest request) {
    var query =
        new FinishedQuery(
            request.text("cursor").map(ReadApi::position).orElse(Position.START),
            request.text("id"),
            request.text("application"),
            request.text("namespace"),
            request.text("taskname"),
            request.text("outcome").map(FinishedApi::outcome),
            time(request, "ended_from", Long.MIN_VALUE),
            time(request, "ended_to", Long.MAX_VALUE),
            request.text("message"),
            request.number("limit", 1, RowBrowser.MAX_ROWS).orElse(100L).intValue(),
            TaskSearch.WITHIN);
    FinishedPage page = page(query);
    return new Views.FinishedPage(
        page.records().stream().map(FinishedApi::view).toList(),
        page.next().map(next -> next.partitionId() + "." + next.key()));
  }

  private FinishedPage page(FinishedQuery query) {
    try {
      return rows.finished(query);
    } catch (RowBrowser.SearchTimeout e) {
      throw ApiProblem.unavailable(String.valueOf(e.getMessage()));
    }
  }

  private Object task(ApiRequest request) {
    String id = request.variable();
    FinishedPage page = page(FinishedQuery.ofId(id, Position.START, TaskSearch.WITHIN));
    if (page.records().isEmpty()) {
      String shown = id.length() > 80 ? id.substring(0, 80) + "…" : id;
      if (page.next().isPresent()) {
        throw ApiProblem.unavailable(
            "The time for the search was over before the oldest records: go on with"
                + " /v1/finished?id=…&cursor="
                + page.next().get().partitionId()
                + "."
                + page.next().get().key());
      }
      throw new ApiProblem(
          404,
          "Not found",
          "There is no record of a finished task "
              + shown
              + ": it has not ended, its record was deleted, or records are not kept"
              + " (store.finished.retention_sec)");
    }
    FinishedPage.Found found = page.records().getFirst();
    return new Views.FinishedDetail(view(found), steps(found.task().history()));
  }

  /// Steps of an encoded history.
  static List<Views.Step> steps(byte[] history) {
    return TaskHistory.decode(history).stream()
        .map(entry ->
            new Views.Step(
                entry.step().name().toLowerCase(Locale.ROOT),
                Instant.ofEpochMilli(entry.at()),
                Optional.of(entry.detail()).filter(detail -> !detail.isEmpty())))
        .toList();
  }

  private static Views.Finished view(FinishedPage.Found found) {
    FinishedTask task = found.task();
    boolean isRecord = task.origin().partition() >= 0;
    return new Views.Finished(
        task.id(),
        present(task.firstId()),
        task.application(),
        task.namespace(),
        task.taskname(),
        task.outcome().text(),
        present(task.message()),
        Instant.ofEpochMilli(task.receivedAt()),
        task.deliveredAt() == Row.NONE ? Optional.empty() : TaskSearch.time(task.deliveredAt()),
        Instant.ofEpochMilli(task.endedAt()),
        Instant.ofEpochMilli(task.keptUntil()),
        task.deliveries(),
        present(task.worker()),
        isRecord ? Optional.of(task.origin().topic()) : Optional.empty(),
        isRecord ? Optional.of(task.origin().partition()) : Optional.empty(),
        isRecord ? Optional.of(task.origin().offset()) : Optional.empty(),
        found.resultBytes());
  }

  private static Optional<String> present(String text) {
    return Optional.of(text).filter(it -> !it.isEmpty());
  }

  private static Outcome outcome(String name) {
    return Arrays.stream(Outcome.values())
        .filter(outcome -> outcome.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            ApiProblem.invalid(
                "outcome must be one of "
                    + String.join(
                        ", ",
                        Arrays.stream(Outcome.values()).map(outcome -> outcome.text()).toList())));
  }

  private static long time(ApiRequest request, String name, long fallback) {
    Optional<String> text = request.text(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      return Instant.parse(text.get()).toEpochMilli();
    } catch (DateTimeException | ArithmeticException _) {
      throw ApiProblem.invalid(name + " must be a time such as 2026-01-31T12:00:00Z");
    }
  }
}
