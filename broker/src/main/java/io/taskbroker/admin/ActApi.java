package io.taskbroker.admin;

import io.taskbroker.activation.Priority;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.OperatorRequest.Act.Kind;
import io.taskbroker.inflight.api.OperatorRequest.Outcome;
import io.taskbroker.inflight.api.OperatorRequest.Target;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.telemetry.Logging;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Operations that act. Each is recorded before and after by [AdminHandler]. Thread-safe.
final class ActApi {
  private static final int MAX_LIMIT = 10_000;
  private static final int DEFAULT_LIMIT = 100;
  private static final int MAX_REPORTED = 1_000;
  private static final long LONGEST_DELAY = 10L * 365 * 86_400;
  private static final int LONGEST_NAME = 1_024;
  private static final Duration LONGEST_ACT = Duration.ofSeconds(15);

  private final EngineQueries engine;
  private final ReadApi reads;
  private final PauseBook pauses;
  private final InstantSource clock = InstantSource.system();

  ActApi(EngineQueries engine, ReadApi reads, PauseBook pauses) {
    this.engine = engine;
    this.reads = reads;
    this.pauses = pauses;
  }

  List<Route> routes() {
    return List.of(
        write(
            "POST",
            "/v1/tasks/act",
            Role.OPERATE,
            "Acts on tasks, by id or by filter.",
            Bodies.Act.class,
            Views.ActResult.class,
            this::act),
        write(
            "POST",
            "/v1/pause",
            Role.OPERATE,
            "Holds tasks of an application, a namespace or a task name until a resume.",
            Bodies.PauseChange.class,
            Views.Pauses.class,
            request -> {
              boolean _ = pauses.add(pause(request.body(Bodies.PauseChange.class)));
              return pauses.view();
            }),
        write(
            "POST",
            "/v1/resume",
            Role.OPERATE,
            "Ends a pause of exactly these names.",
            Bodies.PauseChange.class,
            Views.Pauses.class,
            this::resume),
        write(
            "POST",
            "/v1/drain",
            Role.ADMIN,
            "Ends all deliveries until the broker is restarted; what workers have runs on.",
            Bodies.Drain.class,
            Views.Done.class,
            _ -> {
              pauses.drain();
              return new Views.Done("The broker delivers nothing more; stop it when it is idle.");
            }),
        write(
            "PUT",
            "/v1/log-levels",
            Role.ADMIN,
            "Sets the level of a logger until the process ends.",
            Bodies.LogLevel.class,
            Views.LogLevels.class,
            ActApi::setLevel));
  }

  private static Route write(
      String method,
      String path,
      Role role,
      String summary,
      Class<?> body,
      Class<?> answer,
      Route.Handler handler) {
    return new Route(method, path, role, summary, List.of(), body, answer, handler);
  }

  private Object resume(ApiRequest request) throws InterruptedException {
    Pauses.Pause pause = pause(request.body(Bodies.PauseChange.class));
    if (!pauses.remove(pause)) {
      throw new ApiProblem(
          404, "Not found", "There is no pause of exactly that; GET /v1/pauses lists them");
    }
    return pauses.view();
  }

  private static Pauses.Pause pause(Bodies.PauseChange body) {
    for (Optional<String> name : List.of(body.application(), body.namespace(), body.taskname())) {
      if (name.filter(text -> text.isEmpty() || text.length() > LONGEST_NAME).isPresent()) {
        throw ApiProblem.invalid("A name has 1 to " + LONGEST_NAME + " characters");
      }
    }
    if (body.application().isEmpty() && body.namespace().isEmpty() && body.taskname().isEmpty()) {
      throw ApiProblem.invalid("Name an application, a namespace or a taskname");
    }
    return new Pauses.Pause(body.application(), body.namespace(), body.taskname());
  }

  private static Object setLevel(ApiRequest request) {
    Bodies.LogLevel body = request.body(Bodies.LogLevel.class);
    String directive = body.logger().map(logger -> logger + "=").orElse("") + body.level();
    if (body.level() == null
        || body.logger().filter(name -> !name.matches("[A-Za-z0-9_.:$]{1,200}")).isPresent()
        || !Logging.set(directive)) {
      throw ApiProblem.invalid(
          "level must be trace, debug, info, warn, error or off, and logger the name of one");
    }
    return new Views.LogLevels(Logging.levels());
  }

  private Object act(ApiRequest request) throws InterruptedException {
    Bodies.Act body = request.body(Bodies.Act.class);
    Kind kind = kind(body.act());
    long until = clock.millis() + 1_000 * delay(kind, body);
    int priority = priority(kind, body);
    int limit = body.limit().orElse(DEFAULT_LIMIT);
    if (limit < 1 || limit > MAX_LIMIT) {
      throw ApiProblem.invalid("limit must be from 1 to " + MAX_LIMIT);
    }
    boolean dryRun = body.dryRun().orElse(false);
    var run = new Run(kind, dryRun, until, priority);
    boolean more;
    if (body.ids().isPresent()) {
      if (body.filter().isPresent()) {
        throw ApiProblem.invalid("Send either ids or a filter");
      }
      run.byId(body.ids().get());
      more = false;
    } else {
      more = run.byFilter(filter(body.filter()), limit);
    }
    return new Views.ActResult(
        kind.name().toLowerCase(Locale.ROOT), dryRun, run.matched, run.done, more, run.outcomes);
  }

  private static Kind kind(String name) {
    return Arrays.stream(Kind.values())
        .filter(kind -> kind.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            ApiProblem.invalid(
                "act must be one of run_now, delay, priority, cancel, discard, retry"));
  }

  private static long delay(Kind kind, Bodies.Act body) {
    if (kind != Kind.DELAY) {
      return 0;
    }
    return body.delaySeconds()
        .filter(seconds -> seconds >= 0 && seconds <= LONGEST_DELAY)
        .orElseThrow(() -> ApiProblem.invalid("delay_seconds must be from 0 to " + LONGEST_DELAY));
  }

  private static int priority(Kind kind, Bodies.Act body) {
    if (kind != Kind.PRIORITY) {
      return Priority.NORMAL;
    }
    return body.priority()
        .filter(Priority::isValid)
        .orElseThrow(() ->
            ApiProblem.invalid("priority must be from " + Priority.LAST + " to " + Priority.FIRST));
  }

  private static TaskSearch.Filter filter(Optional<Bodies.Filter> given) {
    Bodies.Filter body = given.orElseThrow(() -> ApiProblem.invalid("Send ids, or a filter"));
    var filter =
        new TaskSearch.Filter(
            Optional.empty(),
            body.application(),
            body.namespace(),
            body.taskname(),
            body.status().map(ReadApi::statusOf),
            body.waiting().map(ReadApi::reasonOf),
            Optional.empty(),
            age("older_than_seconds", body.olderThanSeconds()),
            age("younger_than_seconds", body.youngerThanSeconds()),
            body.minAttempts().orElse(0),
            body.priority(),
            body.header());
    if (body.equals(
        new Bodies.Filter(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()))) {
      throw ApiProblem.invalid("The filter is empty, so it matches everything: name something");
    }
    return filter;
  }

  /// An age of a filter, with the bounds of a search: beyond them it would match other tasks.
  private static Optional<Long> age(String name, Optional<Long> seconds) {
    if (seconds.filter(age -> age < 0 || age > ReadApi.LONGEST_AGE).isPresent()) {
      throw ApiProblem.invalid(
          "filter.%s must be a whole number from 0 to %d".formatted(name, ReadApi.LONGEST_AGE));
    }
    return seconds;
  }

  /// One act on many tasks, in parts that the engine handles at once.
  private final class Run {
    private final Kind kind;
    private final boolean dryRun;
    private final long until;
    private final int priority;
    private final List<Views.ActOutcome> outcomes = new ArrayList<>();
    private int matched;
    private int done;

    private Run(Kind kind, boolean dryRun, long until, int priority) {
      this.kind = kind;
      this.dryRun = dryRun;
      this.until = until;
      this.priority = priority;
    }

    private void byId(List<String> ids) throws InterruptedException {
      List<String> distinct = ids.stream().distinct().toList();
      if (distinct.isEmpty()
          || distinct.size() > OperatorRequest.MAX_TASKS
          || distinct.contains(null)) {
        throw ApiProblem.invalid("ids must have 1 to " + OperatorRequest.MAX_TASKS + " entries");
      }
      Map<String, Long> keys = new HashMap<>();
      for (TaskSnapshot known : engine.inspect(distinct)) {
        keys.put(known.id(), known.key());
      }
      act(distinct.stream().map(id -> new Target(id, keys.getOrDefault(id, -1L))).toList());
    }

    /// Returns whether more tasks may match than the limit.
    private boolean byFilter(TaskSearch.Filter filter, int limit) throws InterruptedException {
      Position reached = Position.START;
      long end = System.nanoTime() + LONGEST_ACT.toNanos();
      while (matched < limit && System.nanoTime() - end < 0) {
        int room = Math.min(limit - matched, OperatorRequest.MAX_TASKS);
        TaskSearch.Result found = reads.search(filter, reached, room);
        act(found.hits().stream().map(hit -> new Target(hit.view().id(), hit.key())).toList());
        if (found.next().isEmpty()) {
          return false;
        }
        reached = found.next().get();
      }
      return true;
    }

    private void act(List<Target> targets) throws InterruptedException {
      if (targets.isEmpty()) {
        return;
      }
      for (Outcome outcome : engine.act(kind, targets, dryRun, until, priority)) {
        matched++;
        done += outcome.done() ? 1 : 0;
        if (outcomes.size() < MAX_REPORTED) {
          outcomes.add(new Views.ActOutcome(outcome.id(), outcome.done(), outcome.detail()));
        }
      }
    }
  }
}
