package io.taskbroker.inflight;

import io.taskbroker.inflight.api.EngineOptions;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Limits and periods of a rig: those of a broker, unless a test sets others.
final class RigOptions {
  static final String RETRY_TOPIC = "retries";
  static final String DEAD_LETTER_TOPIC = "dead-letters";

  static final long GRACE = 3_000;
  static final long LEASE = 10_000;
  static final long STATUS_WRITE_INTERVAL = 1_000;
  static final long RESTART_GRACE = 60_000;
  static final long PARK_HORIZON = 600_000;
  static final long TOMBSTONE = 3_600_000;

  private final @Nullable Set<String> pushed;
  private int maxPending = 100;
  private int maxDelayed = 100;
  private int maxHandedOut = 100;
  private int maxParked = Integer.MAX_VALUE;
  private long maxStoreBytes;
  private long maxMemoryBytes = 100_000_000;
  private int maxChanges = 10_000;
  private long grace = GRACE;
  private long finishedRetention;
  private long settle;

  private RigOptions(@Nullable Set<String> pushed) {
    this.pushed = pushed;
  }

  static RigOptions push(String... applications) {
    return new RigOptions(Set.of(applications));
  }

  static RigOptions pull() {
    return new RigOptions(null);
  }

  RigOptions maxPending(int max) {
    maxPending = max;
    return this;
  }

  RigOptions maxDelayed(int max) {
    maxDelayed = max;
    return this;
  }

  RigOptions maxHandedOut(int max) {
    maxHandedOut = max;
    return this;
  }

  RigOptions maxParked(int max) {
    maxParked = max;
    return this;
  }

  RigOptions maxStoreBytes(long max) {
    maxStoreBytes = max;
    return this;
  }

  RigOptions maxMemoryBytes(long max) {
    maxMemoryBytes = max;
    return this;
  }

  RigOptions maxChanges(int max) {
    maxChanges = max;
    return this;
  }

  RigOptions grace(long millis) {
    grace = millis;
    return this;
  }

  RigOptions finishedRetention(long millis) {
    finishedRetention = millis;
    return this;
  }

  RigOptions settle(long millis) {
    settle = millis;
    return this;
  }

  /// Options of a broker with a store of its own.
  EngineOptions build() {
    return build(false);
  }

  EngineOptions build(boolean shared) {
    return new EngineOptions(
        pushed,
        RETRY_TOPIC,
        DEAD_LETTER_TOPIC,
        new EngineOptions.Limits(
            maxPending,
            maxDelayed,
            maxHandedOut,
            5,
            maxStoreBytes,
            maxMemoryBytes,
            maxParked,
            maxChanges,
            100),
        new EngineOptions.Periods(
            grace, LEASE, STATUS_WRITE_INTERVAL, RESTART_GRACE, settle, PARK_HORIZON, TOMBSTONE),
        shared,
        finishedRetention);
  }
}
