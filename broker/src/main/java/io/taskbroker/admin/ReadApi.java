package io.taskbroker.admin;

import io.taskbroker.activation.Priority;
import io.taskbroker.activation.Status;
import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.DeliveryMode;
import io.taskbroker.inflight.api.ApplicationStats;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.payload.DecodedPayload;
import io.taskbroker.payload.Redaction;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.telemetry.Logging;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/// Operations that read. Thread-safe.
final class ReadApi {
  private static final int MAX_LIMIT = 1_000;
  static final long LONGEST_AGE = 1L << 40;
  private static final byte[] NO_HISTORY = {};

  private static final List<Param> SEARCH =
      List.of(
          new Param("id", "string", "Id of the task."),
          new Param("application", "string", "Its application."),
          new Param("namespace", "string", "Its namespace."),
          new Param("taskname", "string", "Its task name."),
          new Param("status", "string", "Its status, such as `Processing`."),
          new Param("waiting", "string", "Why it does not run, such as `QUEUED`."),
          new Param("parked", "boolean", "Whether it is on disk only."),
          new Param("older_than_seconds", "integer", "Least age, since it was published."),
          new Param("younger_than_seconds", "integer", "Greatest age, since it was published."),
          new Param("min_attempts", "integer", "Least number of passed processing deadlines."),
          new Param("priority", "integer", "Its priority, -4 to 4."),
          new Param("header", "string", "A header that it has: `name` or `name=value`."),
          new Param("limit", "integer", "Most tasks of the page: 1 to 1000, 100 by default."),
          new Param("cursor", "string", "The `cursor` of the page before."));

  private final EngineQueries engine;
  private final RowBrowser rows;
  private final BrokerStatus status;
  private final BrokerConfig config;
  private final Rates rates;
  private final Latencies latencies;
  private final PauseBook pauses;
  private final InstantSource clock;
  private final TaskSearch search;
  private final Redaction redaction;

  ReadApi(
      EngineQueries engine,
      RowBrowser rows,
      BrokerStatus status,
      BrokerConfig config,
      Rates rates,
      Latencies latencies,
      PauseBook pauses) {
    this.engine = engine;
    this.rows = rows;
    this.status = status;
    this.config = config;
    this.rates = rates;
    this.latencies = latencies;
    this.pauses = pauses;
    this.clock = InstantSource.system();
    this.search = new TaskSearch(rows, engine, status.name(), clock);
    this.redaction = new Redaction(config.admin().redact());
  }

  List<Route> routes() {
    return List.of(
        read("/v1/overview", "The broker at this moment.", Views.Overview.class, _ -> overview()),
        new Route(
            "GET",
            "/v1/tasks",
            Role.READ,
            "Searches the tasks in flight.",
            SEARCH,
            null,
            Views.TaskPage.class,
            this::tasks),
        read(
            "/v1/tasks/{id}",
            "One task in full, with its arguments and why it does not run.",
            Views.TaskDetail.class,
            this::task),
        read(
            "/v1/partitions",
            "Partitions that this broker reads, with their lag.",
            Views.Partitions.class,
            _ -> new Views.Partitions(status.name(), partitions())),
        read("/v1/pauses", "Pauses in force.", Views.Pauses.class, _ -> pauses.view()),
        read(
            "/v1/log-levels",
            "Log levels that are set.",
            Views.LogLevels.class,
            _ -> new Views.LogLevels(Logging.levels())));
  }

  private static Route read(String path, String summary, Class<?> answer, Route.Handler handler) {
    return new Route("GET", path, Role.READ, summary, List.of(), null, answer, handler);
  }

  Views.Overview overview() throws InterruptedException {
    EngineStats stats = engine.stats();
    rates.add(stats, System.nanoTime());
    List<Views.TaskName> names =
        stats.tasks().stream()
            .map(this::taskName)
            .sorted(
                Comparator.comparing(Views.TaskName::application)
                    .thenComparing(Views.TaskName::taskname))
            .toList();
    Rates.Totals total =
        stats.tasks().stream()
            .map(task -> rates.of(new Rates.Name(task.application(), task.taskname())))
            .reduce(Rates.Totals.NONE, Rates.Totals::plus);
    return new Views.Overview(
        broker(),
        new Views.Counts(
            stats.pending(),
            stats.claimed(),
            stats.processing(),
            stats.delayed(),
            stats.parked(),
            stats.forwarding(),
            stats.quarantinedTopics()),
        Math.max(0, stats.oldestMillis()) / 1_000.0,
        rates.view(total),
        latencies.view(),
        applications(),
        names,
        partitions(),
        pauses.view().pauses(),
        new Views.Store(
            config.store().adapter().name().toLowerCase(Locale.ROOT),
            stats.outstanding(),
            stats.memoryBytes()));
  }

  private Views.Broker broker() {
    BuildInfo build = BuildInfo.current();
    return new Views.Broker(
        status.name(),
        build.version(),
        build.commit(),
        status.startedAt(),
        deliveryMode(),
        status.ready(),
        pauses.isDraining(),
        status.troubles());
  }

  private Views.TaskName taskName(EngineStats.Task task) {
    return new Views.TaskName(
        task.application(),
        task.taskname(),
        task.pending(),
        task.delayed(),
        task.claimed(),
        task.processing(),
        rates.view(rates.of(new Rates.Name(task.application(), task.taskname()))));
  }

  String deliveryMode() {
    return config.deliveryMode().name().toLowerCase(Locale.ROOT);
  }

  List<Views.Application> applications() throws InterruptedException {
    return engine.applications().stream()
        .map(this::application)
        .sorted(Comparator.comparing(Views.Application::application))
        .toList();
  }

  private Views.Application application(ApplicationStats stats) {
    OptionalLong oldest = stats.oldestReceivedAt();
    boolean pushes = config.deliveryMode() == DeliveryMode.PUSH;
    return new Views.Application(
        stats.application(),
        stats.pending(),
        stats.processing(),
        stats.delayed(),
        stats.parked(),
        oldest.isPresent()
            ? Optional.of(Math.max(0, clock.millis() - oldest.getAsLong()) / 1_000.0)
            : Optional.empty(),
        stats.memoryBytes(),
        pushes
            ? Optional.ofNullable(config.workerMap().get(stats.application())).map(Object::toString)
            : Optional.empty(),
        stats.push().map(ApplicationStats.Push::calls),
        stats.push().map(ApplicationStats.Push::window),
        stats
            .push()
            .filter(push -> push.pausedUntil().isPresent())
            .map(push -> Instant.ofEpochMilli(push.pausedUntil().getAsLong())));
  }

  private List<Views.Partition> partitions() {
    return status.lags().entrySet().stream()
        .map(lag ->
            new Views.Partition(
                lag.getKey().getKey(), Integer.parseInt(lag.getKey().getValue()), lag.getValue()))
        .sorted(
            Comparator.comparing(Views.Partition::topic)
                .thenComparingInt(Views.Partition::partition))
        .toList();
  }

  private Object tasks(ApiRequest request) throws InterruptedException {
    var filter =
        new TaskSearch.Filter(
            request.text("id"),
            request.text("application"),
            request.text("namespace"),
            request.text("taskname"),
            request.text("status").map(ReadApi::statusOf),
            request.text("waiting").map(ReadApi::reasonOf),
            request.flag("parked"),
            request.number("older_than_seconds", 0, LONGEST_AGE),
            request.number("younger_than_seconds", 0, LONGEST_AGE),
            request.number("min_attempts", 0, Integer.MAX_VALUE).orElse(0L).intValue(),
            request.number("priority", Priority.LAST, Priority.FIRST).map(Long::intValue),
            request.text("header"));
    int limit = request.number("limit", 1, MAX_LIMIT).orElse(100L).intValue();
    Position after = request.text("cursor").map(ReadApi::position).orElse(Position.START);
    TaskSearch.Result found = search(filter, after, limit);
    return new Views.TaskPage(
        found.hits().stream().map(TaskSearch.Hit::view).toList(),
        found.next().map(next -> next.partitionId() + "." + next.key()));
  }

  TaskSearch.Result search(TaskSearch.Filter filter, Position after, int limit)
      throws InterruptedException {
    try {
      return search.search(filter, after, limit);
    } catch (RowBrowser.SearchTimeout e) {
      throw ApiProblem.unavailable(String.valueOf(e.getMessage()));
    }
  }

  static Status statusOf(String name) {
    return Arrays.stream(Status.values())
        .filter(status -> status.storedName().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            ApiProblem.invalid(
                "status must be one of "
                    + String.join(
                        ", ", Arrays.stream(Status.values()).map(Status::storedName).toList())));
  }

  static WaitingReason.Kind reasonOf(String name) {
    return Arrays.stream(WaitingReason.Kind.values())
        .filter(kind -> kind.name().equalsIgnoreCase(name))
        .findFirst()
        .orElseThrow(() ->
            ApiProblem.invalid(
                "waiting must be one of "
                    + String.join(
                        ", ",
                        Arrays.stream(WaitingReason.Kind.values()).map(Enum::name).toList())));
  }

  static Position position(String cursor) {
    int dot = cursor.indexOf('.');
    try {
      if (dot > 0) {
        return new Position(
            Integer.parseInt(cursor.substring(0, dot)), Long.parseLong(cursor.substring(dot + 1)));
      }
    } catch (NumberFormatException _) {
      // reported below
    }
    throw ApiProblem.invalid("cursor must be that of an earlier page");
  }

  private Object task(ApiRequest request) throws InterruptedException {
    String id = request.variable();
    List<TaskSnapshot> known = engine.inspect(List.of(id));
    TaskSearch.Hit hit = find(id, known).orElseThrow(() -> notFound(id));
    Optional<byte[]> payload = rows.payload(hit.position());
    DecodedPayload decoded =
        payload
            .map(bytes -> DecodedPayload.of(bytes, redaction))
            .orElse(new DecodedPayload(Map.of(), 0, 0, Optional.empty(), "it ended just now"));
    return new Views.TaskDetail(
        hit.view(),
        decoded.headers(),
        decoded.attempt(),
        decoded.maxAttempts(),
        decoded.arguments(),
        Optional.of(decoded.problem()).filter(problem -> !problem.isEmpty()),
        FinishedApi.steps(known.isEmpty() ? NO_HISTORY : known.getFirst().history()));
  }

  /// A row of a store of one broker is found by the key that the engine knows: there is no index on
  /// ids.
  private Optional<TaskSearch.Hit> find(String id, List<TaskSnapshot> known)
      throws InterruptedException {
    boolean shared = config.store().adapter().name().equals("POSTGRES");
    if (known.isEmpty() && !shared) {
      return Optional.empty();
    }
    Position after = shared ? Position.START : new Position(0, known.getFirst().key() - 1);
    var filter =
        new TaskSearch.Filter(
            Optional.of(id),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            0,
            Optional.empty(),
            Optional.empty());
    return search(filter, after, 1).hits().stream().findFirst();
  }

  private static ApiProblem notFound(String id) {
    String shown = id.length() > 80 ? id.substring(0, 80) + "…" : id;
    return new ApiProblem(
        404,
        "Not found",
        "No task "
            + shown
            + " is in flight here: it ended, never arrived, or another broker has it");
  }
}
