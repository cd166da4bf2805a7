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
  /// @param act `run_now`, `delay`, `priority`, `cancel`, `discard` or `retry`
  /// @param ids at most 1,000
  /// @param limit most tasks to act on, 100 by default, 10,000 at most
  /// @param dryRun only tells what would be done
  /// @param delaySeconds with `delay`: seconds from now until it may run
  /// @param priority with `priority`: the new one, -4 to 4; the highest runs first
  /// @param reason why, for the audit record
  record Act(
      String act,
      Optional<List<String>> ids,
      Optional<Filter> filter,
      Optional<Integer> limit,
      Optional<Boolean> dryRun,
      Optional<Long> delaySeconds,
      Optional<Integer> priority,
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
      Optional<Integer> priority,
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
  /// @param jitterSeconds maximum delay of each slot
  /// @param missed `latest` (by default), `skip` or `all`
  /// @param missedLimit with `all`: how many run late, 100 by default
  /// @param ifUpdatedAt its expected `updated_at`; if it has another one, or none, the answer is
  ///   409
  /// @param dryRun only says what the schedule would be
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
      Optional<Instant> ifUpdatedAt,
      Optional<Boolean> dryRun,
      String reason) {}

  /// Task that a schedule enqueues. Secret values of arguments and headers that are `[redacted]`
  /// stay as they are.
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

  /// Reason for an act.
  record Reason(String reason) {}

  /// Drain of this broker.
  record Drain(String reason) {}

  /// New rules of the API, which replace its present ones.
  ///
  /// @param rules YAML, as in the file of `runtime_config_path`
  /// @param ifVersion the version that they replace; 0 if there is none. If another one is in
  ///   force, the answer is 409
  /// @param dryRun only tells what would be done
  record SetRules(
      String rules, Optional<Long> ifVersion, Optional<Boolean> dryRun, String reason) {}

  /// Return to the rules of an earlier version.
  ///
  /// @param version whose rules are set again
  /// @param ifVersion as in `PUT /v1/rules`
  record RollBackRules(
      long version, Optional<Long> ifVersion, Optional<Boolean> dryRun, String reason) {}

  /// Log level of a logger, until the process ends.
  ///
  /// @param logger such as `io.taskbroker.ingest`; absent for all without a level of their own
  /// @param level `trace`, `debug`, `info`, `warn`, `error` or `off`
  record LogLevel(Optional<String> logger, String level, String reason) {}

  /// Filter of dead letters. Absent fields match all.
  ///
  /// @param since only failures at or after this time
  /// @param until only failures before this time
  /// @param error part of the reason, in any case
  /// @param header `name=value`
  /// @param ids positions (`partition:offset`) or ids of tasks; 1,000 at most
  record DeadLetterFilter(
      Optional<Instant> since,
      Optional<Instant> until,
      Optional<String> application,
      Optional<String> namespace,
      Optional<String> taskname,
      Optional<String> error,
      Optional<String> header,
      Optional<List<String>> ids) {}

  /// Replay of dead letters.
  ///
  /// @param filter absent with `all` only
  /// @param all whether all dead letters are meant, without a filter
  /// @param to topic; absent for that of each task
  /// @param rate dead letters a second at most, 100 by default, 10,000 at most
  /// @param limit most dead letters
  /// @param keepAttempts whether the attempts so far count
  /// @param atMostOnce whether tasks are replayed that run at most once and may have run
  /// @param copies whether copies of a failure are replayed too
  /// @param arguments new arguments of the one dead letter whose position is in `ids`; values that
  ///   are `[redacted]` stay as they are
  record Replay(
      Optional<DeadLetterFilter> filter,
      Optional<Boolean> all,
      Optional<String> to,
      Optional<Integer> rate,
      Optional<Long> limit,
      Optional<Boolean> keepAttempts,
      Optional<Boolean> atMostOnce,
      Optional<Boolean> copies,
      Optional<Object> arguments,
      Optional<Boolean> dryRun,
      String reason) {}

  /// Mark of dead letters as discarded. Fields as for a replay.
  record DiscardLetters(
      Optional<DeadLetterFilter> filter,
      Optional<Boolean> all,
      Optional<Integer> rate,
      Optional<Long> limit,
      Optional<Boolean> copies,
      Optional<Boolean> dryRun,
      String reason) {}

  /// End of a replay that runs.
  ///
  /// @param run its id
  record StopReplay(String run, String reason) {}
}
