package io.taskbroker.admin;

import io.taskbroker.admin.Route.Param;
import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.runtime.BuildInfo;
import io.taskbroker.store.Fleet;
import io.taskbroker.store.RowBrowser;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;

/// Operations that show more than the tasks of this broker: all brokers of the store, backlogs by
/// name, the configuration, and what operators did. Thread-safe.
final class FleetApi {
  private static final int MAX_ENTRIES = 500;
  private static final long USUAL_ENTRIES = 50;

  private final EngineQueries engine;
  private final RowBrowser rows;
  private final BrokerStatus status;
  private final BrokerConfig config;
  private final Backlogs backlogs;
  private final AuditPages acts;
  private final InstantSource clock = InstantSource.system();

  FleetApi(
      EngineQueries engine,
      RowBrowser rows,
      BrokerStatus status,
      BrokerConfig config,
      Backlogs backlogs,
      AuditPages acts) {
    this.engine = engine;
    this.rows = rows;
    this.status = status;
    this.config = config;
    this.backlogs = backlogs;
    this.acts = acts;
  }

  List<Route> routes() {
    return List.of(
        read(
            "/v1/brokers",
            "Brokers that share the store, and the partitions that each owns.",
            List.of(),
            Views.Brokers.class,
            _ -> brokers()),
        read(
            "/v1/backlog",
            "Tasks in flight by application, namespace or task name, the largest group first.",
            List.of(
                new Param(
                    "by", "string", "`application`, `namespace` or `task`; `task` by default.")),
            Views.Backlog.class,
            request -> backlogs.view(by(request), engine.stats())),
        read(
            "/v1/config",
            "Configuration of this broker, without secrets.",
            List.of(),
            Views.Config.class,
            _ -> new Views.Config(status.name(), config.effective())),
        read(
            "/v1/audit",
            "What operators did by this broker, the newest first.",
            List.of(
                new Param("limit", "integer", "Most entries of the page: 1 to 500, 50 by default."),
                new Param("cursor", "string", "The `cursor` of the page before.")),
            Views.AuditPage.class,
            this::audit));
  }

  private static Route read(
      String path, String summary, List<Param> params, Class<?> answer, Route.Handler handler) {
    return new Route("GET", path, Role.READ, summary, params, null, answer, handler);
  }

  private static Backlogs.By by(ApiRequest request) {
    return switch (request.text("by").orElse("task")) {
      case "application" -> Backlogs.By.APPLICATION;
      case "namespace" -> Backlogs.By.NAMESPACE;
      case "task" -> Backlogs.By.TASK;
      default -> throw ApiProblem.invalid("by must be application, namespace or task");
    };
  }

  private Views.Brokers brokers() {
    Optional<Fleet> fleet = rows.fleet();
    if (fleet.isEmpty()) {
      return new Views.Brokers(status.name(), List.of(alone()), List.of());
    }
    List<Fleet.Owned> partitions = fleet.get().partitions();
    return new Views.Brokers(
        status.name(),
        fleet.get().members().stream()
            .map(member ->
                new Views.BrokerOfFleet(
                    member.name(),
                    member.version(),
                    member.startedAt(),
                    member.lastSeen(),
                    member.alive(),
                    Optional.of(member.bytes()),
                    of(partitions, Optional.of(member.epoch()))))
            .toList(),
        of(partitions, Optional.empty()));
  }

  private static List<Views.OwnedPartition> of(List<Fleet.Owned> partitions, Optional<Long> epoch) {
    return partitions.stream()
        .filter(owned -> owned.epoch().equals(epoch) && owned.partition() >= 0)
        .map(owned -> new Views.OwnedPartition(owned.topic(), owned.partition(), owned.since()))
        .toList();
  }

  /// The only broker of its store.
  private Views.BrokerOfFleet alone() {
    return new Views.BrokerOfFleet(
        status.name(),
        Optional.of(BuildInfo.current().version()),
        Optional.of(status.startedAt()),
        Optional.of(clock.instant()),
        true,
        Optional.empty(),
        status.lags().keySet().stream()
            .map(partition ->
                new Views.OwnedPartition(
                    partition.getKey(), Integer.parseInt(partition.getValue()), Optional.empty()))
            .sorted(Views.OwnedPartition.ORDER)
            .toList());
  }

  private Object audit(ApiRequest request) {
    int limit = request.number("limit", 1, MAX_ENTRIES).orElse(USUAL_ENTRIES).intValue();
    AuditPages.Page page = acts.page(request.text("cursor"), limit);
    return new Views.AuditPage(
        page.entries().stream().map(Views.AuditEntry::of).toList(), page.cursor());
  }
}
