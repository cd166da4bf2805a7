package io.taskbroker.admin;

import io.taskbroker.rules.RuleStatus;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
}
