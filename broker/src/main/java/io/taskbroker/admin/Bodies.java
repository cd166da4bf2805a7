package io.taskbroker.admin;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Bodies of requests, in JSON with names in snake case.
final class Bodies {
  private Bodies() {}

  /// Act on tasks, by id or by filter.
  ///
  /// @param act `run_now`, `delay`, `cancel`, `discard` or `retry`
  /// @param ids at most 1,000
  /// @param limit most tasks to act on, 100 by default, 10,000 at most
  /// @param dryRun only tells what would be done
  /// @param delaySeconds with `delay`: seconds from now until it may run
  /// @param reason why, for the audit record
  record Act(
      String act,
      Optional<List<String>> ids,
      Optional<Filter> filter,
      Optional<Integer> limit,
      Optional<Boolean> dryRun,
      Optional<Long> delaySeconds,
      String reason) {}

  /// Filter of tasks: at least one field.
  record Filter(
      Optional<String> application,
      Optional<String> namespace,
      Optional<String> taskname,
      Optional<String> status,
      Optional<String> waiting,
      Optional<Long> olderThanSeconds,
      Optional<Long> youngerThanSeconds,
      Optional<Integer> minAttempts,
      Optional<String> header) {}

  /// Names to pause or resume: at least one.
  record PauseChange(
      Optional<String> application,
      Optional<String> namespace,
      Optional<String> taskname,
      String reason) {}

  /// A schedule: `cron`, or `every_seconds`.
  ///
  /// @param cron five fields as in Unix
  /// @param timeZone IANA name, UTC by default
  /// @param phaseSeconds with `every_seconds`: seconds from 1970 to a slot
  /// @param start,end no slot before, and none from then on
  /// @param jitterSeconds up to so much each slot is delayed
  /// @param missed `latest` (by default), `skip` or `all`
  /// @param missedLimit with `all`: how many run late, 100 by default
  record ScheduleChange(
      Optional<String> cron,
      Optional<String> timeZone,
      Optional<Long> everySeconds,
      Optional<Long> phaseSeconds,
      Optional<Instant> start,
      Optional<Instant> end,
      Optional<Long> jitterSeconds,
      Optional<String> missed,
      Optional<Integer> missedLimit,
      Optional<String> description,
      ScheduledTask task,
      String reason) {}

  /// What a schedule enqueues.
  ///
  /// @param arguments any JSON; the worker gets its text
  /// @param maxAttempts attempts in all, 1 by default
  /// @param onFailure `discard` (by default) or `dead_letter`
  record ScheduledTask(
      String taskname,
      Optional<String> namespace,
      Optional<String> application,
      Optional<Object> arguments,
      Optional<Map<String, String>> headers,
      Optional<Long> deadlineSeconds,
      Optional<Long> expiresSeconds,
      Optional<Long> delaySeconds,
      Optional<Integer> maxAttempts,
      Optional<Long> retryDelaySeconds,
      Optional<String> onFailure,
      Optional<Boolean> atMostOnce) {}

  /// Why something is done.
  record Reason(String reason) {}

  /// Drain of this broker.
  record Drain(String reason) {}

  /// Log level of a logger, until the process ends.
  ///
  /// @param logger such as `io.taskbroker.ingest`; absent for all without a level of their own
  /// @param level `trace`, `debug`, `info`, `warn`, `error` or `off`
  record LogLevel(Optional<String> logger, String level, String reason) {}
}
