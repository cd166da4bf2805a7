package io.taskbroker.admin;

import io.taskbroker.deliver.PushAddress;
import io.taskbroker.grpc.PullWorker;
import io.taskbroker.rules.RuleStatus;
import io.taskbroker.telemetry.Distribution;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/// Condition of the broker outside of the engine. Thread-safe; no method waits.
public interface BrokerStatus {
  /// Name of the store, which identifies the broker in its consumer groups.
  String name();

  Instant startedAt();

  boolean ready();

  /// Problems that do not make the broker unready, one line each.
  List<String> troubles();

  /// Messages that are not stored yet, by topic and partition number.
  Map<Map.Entry<String, String>, Long> lags();

  /// The rules in force; empty without a rules file.
  Optional<RuleStatus> rules();

  /// How long tasks waited for a worker, since the start.
  Distribution waiting();

  /// How long completed tasks ran, since the start.
  Distribution running();

  /// Callers that asked for tasks, by connection.
  List<PullWorker> pullWorkers();

  /// Addresses of the workers that the broker calls. Never completes if the broker does not call
  /// workers yet, or any more.
  CompletableFuture<List<PushAddress>> pushAddresses();
}
