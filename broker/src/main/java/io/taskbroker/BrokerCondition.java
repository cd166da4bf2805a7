package io.taskbroker;

import io.taskbroker.admin.BrokerStatus;
import io.taskbroker.rules.RuleStatus;
import io.taskbroker.rules.RuntimeFile;
import io.taskbroker.telemetry.Metrics;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
}
