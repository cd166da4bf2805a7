package io.taskbroker.admin;

import io.taskbroker.config.AdminConfig.Role;
import io.taskbroker.deliver.PushAddress;
import io.taskbroker.grpc.PullWorker;
import io.taskbroker.inflight.api.WorkerStats;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/// Workers, each by itself as far as the broker knows them. Thread-safe.
final class WorkerApi {
  private static final int PATIENCE_SECONDS = 1;

  private final ReadApi reads;
  private final EngineQueries engine;
  private final BrokerStatus status;
  private final InstantSource clock = InstantSource.system();

  WorkerApi(ReadApi reads, EngineQueries engine, BrokerStatus status) {
    this.reads = reads;
    this.engine = engine;
    this.status = status;
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "GET",
            "/v1/workers",
            Role.READ,
            "Applications and workers with their condition, at most 1,000 of each kind.",
            List.of(),
            null,
            Views.Workers.class,
            _ -> workers()));
  }

  private Views.Workers workers() throws InterruptedException {
    return new Views.Workers(
        reads.deliveryMode(),
        reads.applications(),
        engine.workers().stream()
            .map(WorkerApi::stream)
            .sorted(
                Comparator.comparing(Views.StreamWorker::application)
                    .thenComparing(Views.StreamWorker::name)
                    .thenComparing(Views.StreamWorker::address))
            .toList(),
        addresses().stream()
            .map(it ->
                new Views.CalledAddress(
                    it.application(), it.address(), it.connections(), it.calls(), it.unreachable()))
            .sorted(
                Comparator.comparing(Views.CalledAddress::application)
                    .thenComparing(Views.CalledAddress::address))
            .toList(),
        status.pullWorkers().stream()
            .sorted(Comparator.comparing(PullWorker::sinceAsked))
            .map(it -> pulling(it, clock.instant()))
            .toList());
  }

  private List<PushAddress> addresses() throws InterruptedException {
    try {
      return status.pushAddresses().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException _) {
      throw ApiProblem.unavailable("The broker starts or stops, or is busy; try again");
    } catch (ExecutionException e) {
      throw new IllegalStateException("Cannot ask for the addresses of workers", e.getCause());
    }
  }

  private static Views.StreamWorker stream(WorkerStats stats) {
    var worker = stats.worker();
    return new Views.StreamWorker(
        worker.name(),
        worker.version(),
        worker.address(),
        stats.application(),
        stats.namespaces(),
        stats.slots(),
        stats.inUse(),
        stats.tasks(),
        Instant.ofEpochMilli(worker.openedAt()),
        Instant.ofEpochMilli(worker.heardAt()));
  }

  private static Views.PullingWorker pulling(PullWorker worker, Instant now) {
    return new Views.PullingWorker(
        worker.address(),
        worker.application(),
        now.minus(worker.open()),
        now.minus(worker.sinceAsked()),
        worker.sinceReported().map(now::minus));
  }
}
