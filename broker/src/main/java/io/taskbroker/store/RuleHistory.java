package io.taskbroker.store;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// Versions of the rules that operators set by the API, numbered from 1 without gaps (ADR 43). The
/// newest [#KEPT] are kept. Thread-safe; every method blocks and throws [StoreException].
public interface RuleHistory {
  /// Versions that are kept.
  int KEPT = 50;

  /// Most bytes of the rules of a version, in UTF-8.
  int MAX_BYTES = 64 << 10;

  /// The version in force; empty if none was ever set.
  Optional<Version> latest();

  /// All that are kept, the newest first.
  List<Version> versions();

  /// Adds a version; it is durable when this returns.
  ///
  /// @return false if its number does not follow that of the newest version: nothing changed
  boolean append(Version version);

  /// Version of the rules.
  ///
  /// @param who operator who set it
  /// @param rules YAML, as in the file of `runtime_config_path`
  record Version(long number, Instant at, String who, String why, String rules) {}
}
