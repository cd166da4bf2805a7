package io.taskbroker;

import io.taskbroker.admin.BrokerStatus;
import io.taskbroker.deliver.PushAddress;
import io.taskbroker.deliver.PushClient;
import io.taskbroker.grpc.GrpcServer;
import io.taskbroker.grpc.PullWorker;
import io.taskbroker.rules.RuleStatus;
import io.taskbroker.rules.RuntimeFile;
import io.taskbroker.telemetry.Distribution;
import io.taskbroker.telemetry.Metrics;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// Condition of this broker for the admin API. Thread-safe: volatile fields, each written by one
/// stage.
final class BrokerCondition implements BrokerStatus {
  private final String name;
  private final Metrics metrics;
  private final Instant startedAt = Instant.now();
  private volatile boolean ready;
  private volatile List<String> troubles = List.of();
  private volatile @Nullable RuntimeFile rules;
  private volatile @Nullable PushClient push;
  private volatile @Nullable GrpcServer server;

  /// @param name of the store
  BrokerCondition(String name, Metrics metrics) {
    this.name = name;
    this.metrics = metrics;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Instant startedAt() {
    return startedAt;
  }

  @Override
  public boolean ready() {
    return ready;
  }

  void setReady(boolean now) {
    ready = now;
  }

  @Override
  public List<String> troubles() {
    return troubles;
  }

  void setTroubles(List<String> lines) {
    troubles = List.copyOf(lines);
  }

  @Override
  public Map<Map.Entry<String, String>, Long> lags() {
    return metrics.lags();
  }

  @Override
  public Optional<RuleStatus> rules() {
    return Optional.ofNullable(rules).map(RuntimeFile::status);
  }

  void setRules(RuntimeFile file) {
    rules = file;
  }

  @Override
  public Distribution waiting() {
    return metrics.waiting();
  }

  @Override
  public Distribution running() {
    return metrics.running();
  }

  @Override
  public List<PullWorker> pullWorkers() {
    GrpcServer started = server;
    return started == null ? List.of() : started.pullWorkers();
  }

  @Override
  public CompletableFuture<List<PushAddress>> pushAddresses() {
    PushClient started = push;
    return started == null ? CompletableFuture.completedFuture(List.of()) : started.addresses();
  }

  /// Sets the stages by which it knows workers.
  ///
  /// @param ofPull null if workers cannot connect
  void setWorkers(PushClient ofPush, @Nullable GrpcServer ofPull) {
    push = ofPush;
    server = ofPull;
  }
}
