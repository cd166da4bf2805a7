package io.taskbroker.admin;

import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Bodies of answers. In JSON their names are in snake case, times are ISO 8601 in UTC, and empty
/// values are left out. The schemas of the OpenAPI document are made from these records.
final class Views {
  private Views() {}

  /// The broker at one moment.
  record Overview(
      Broker broker,
      Counts tasks,
      double oldestWaitingSeconds,
      Rate rate,
      Latency latency,
      List<Application> applications,
      List<TaskName> tasknames,
      List<Partition> partitions,
      List<Pause> pauses,
      Store store) {}

  /// Identity and condition of this broker.
  ///
  /// @param troubles problems that do not make it unready
  record Broker(
      String name,
      String version,
      String commit,
      Instant startedAt,
      String deliveryMode,
      boolean ready,
      boolean draining,
      List<String> troubles) {}

  /// Tasks in flight.
  ///
  /// @param pending in memory and not with workers
  /// @param parked on disk only
  /// @param forwarding being produced as retries or dead letters
  /// @param quarantined refused by Kafka, by topic
  record Counts(
      int pending,
      int claimed,
      int processing,
      int delayed,
      int parked,
      int forwarding,
      Map<String, Integer> quarantined) {}

  /// Outcomes a second, over the last `over_seconds`.
  record Rate(
      double completed, double failed, double retried, double deadLettered, double overSeconds) {}

  /// How long tasks waited and ran, of those that a worker got, or completed, in the last
  /// `over_seconds`.
  ///
  /// @param waiting from when a task was published, or its delay ended, until a worker had it
  /// @param running from the delivery of a task to the report that it is complete
  record Latency(Percentiles waiting, Percentiles running, double overSeconds) {}

  /// Percentiles to 5 %; absent without tasks. 0 is under a millisecond.
  record Percentiles(
      long tasks,
      Optional<Double> p50Seconds,
      Optional<Double> p95Seconds,
      Optional<Double> p99Seconds) {}

  /// Store of this broker.
  ///
  /// @param outstanding changes that are not durable yet
  /// @param memoryBytes bytes of memory of the tasks
  record Store(String kind, int outstanding, long memoryBytes) {}

  /// An application. The figures count tasks.
  ///
  /// @param parked whether some are on disk only
  /// @param worker URL of its workers, in push mode
  /// @param calls calls to workers in flight, in push mode
  /// @param slots most calls at this moment, in push mode
  /// @param pausedUntil end of the pause after failed calls
  record Application(
      String application,
      int pending,
      int processing,
      int delayed,
      boolean parked,
      Optional<Double> oldestWaitingSeconds,
      long memoryBytes,
      Optional<String> worker,
      Optional<Integer> calls,
      Optional<Integer> slots,
      Optional<Instant> pausedUntil) {}

  /// A task name of an application, in memory.
  record TaskName(
      String application,
      String taskname,
      int pending,
      int delayed,
      int claimed,
      int processing,
      Rate rate) {}

  /// A partition that this broker reads.
  ///
  /// @param lag messages that are not stored yet
  record Partition(String topic, int partition, long lag) {}

  /// Names of a pause; an absent field matches all.
  record Pause(
      Optional<String> application, Optional<String> namespace, Optional<String> taskname) {}

  /// Pauses in force.
  record Pauses(List<Pause> pauses) {}

  /// Applications and workers, at most 1,000 of each kind.
  ///
  /// @param streams workers that opened streams
  /// @param addresses of workers that the broker calls, in push mode
  /// @param pulls connections on which tasks were asked for, the latest first
  record Workers(
      String deliveryMode,
      List<Application> applications,
      List<StreamWorker> streams,
      List<CalledAddress> addresses,
      List<PullingWorker> pulls) {}

  /// Worker with a stream.
  ///
  /// @param name that it gave itself; may be empty
  /// @param version library and version, as it says; may be empty
  /// @param namespaces only tasks of these; none for all
  /// @param slots maximum number of tasks that it has at once
  /// @param inUse slots that are taken
  /// @param tasks ids of some of its tasks, 10 at most
  /// @param lastHeardAt when it last sent anything
  record StreamWorker(
      String name,
      String version,
      String address,
      String application,
      List<String> namespaces,
      int slots,
      int inUse,
      List<String> tasks,
      Instant openedAt,
      Instant lastHeardAt) {}

  /// Address of workers that the broker calls: one worker, or a balancer in front of many. The
  /// window of its application limits its calls.
  ///
  /// @param connections that are open
  /// @param calls in flight
  /// @param unreachable whether the latest attempt to connect failed
  record CalledAddress(
      String application, String address, int connections, int calls, boolean unreachable) {}

  /// Connection on which somebody asked for tasks: one worker, or a proxy in front of many.
  ///
  /// @param application that it asked for last; absent for any
  record PullingWorker(
      String address,
      Optional<String> application,
      Instant openedAt,
      Instant lastAskedAt,
      Optional<Instant> lastReportedAt) {}

  /// This broker and its partitions.
  record Partitions(String broker, List<Partition> partitions) {}

  /// Brokers that share a store.
  ///
  /// @param asked name of the one that answers
  /// @param unowned partitions that no broker owns now
  record Brokers(String asked, List<BrokerOfFleet> brokers, List<OwnedPartition> unowned) {}

  /// A broker, as the store knows it. A former process of a broker is listed by itself for a day.
  ///
  /// @param alive whether its lease holds
  /// @param storeBytes size of its rows; absent in a store of one broker
  record BrokerOfFleet(
      String name,
      Optional<String> version,
      Optional<Instant> startedAt,
      Optional<Instant> lastSeen,
      boolean alive,
      Optional<Long> storeBytes,
      List<OwnedPartition> partitions) {}

  /// A partition with its owner, or without one.
  ///
  /// @param since when this is so; absent if the store does not know
  record OwnedPartition(String topic, int partition, Optional<Instant> since) {
    static final Comparator<OwnedPartition> ORDER =
        Comparator.comparing(OwnedPartition::topic).thenComparingInt(OwnedPartition::partition);
  }

  /// Configuration.
  ///
  /// @param yaml as `taskbroker config show` prints it: with defaults, without secrets
  record Config(String broker, String yaml) {}

  /// Tasks in flight by name. `tasks`, `parked` and ages are of all brokers of the store, as of
  /// `counted_at`; the rest is of this broker now.
  ///
  /// @param complete whether all rows were counted in time
  /// @param others rows of names beyond the first 1,000
  /// @param more whether there are more groups than are listed
  record Backlog(
      String by,
      Instant countedAt,
      boolean complete,
      long others,
      double overSeconds,
      boolean more,
      List<BacklogGroup> groups) {}

  /// Group of tasks.
  ///
  /// @param tasks in the store
  /// @param parked on disk only
  /// @param processing with workers
  /// @param oldestSeconds age of the oldest, since it was published
  /// @param errorRatio failures and retries among all outcomes; absent without outcomes. A name
  ///   counts for the namespace in which this broker saw it first
  record BacklogGroup(
      String application,
      Optional<String> namespace,
      Optional<String> taskname,
      long tasks,
      int pending,
      int delayed,
      long parked,
      int processing,
      Optional<Double> oldestSeconds,
      Rate rate,
      Optional<Double> errorRatio) {}

  /// Acts of operators.
  ///
  /// @param cursor of the next page; absent if there is none. A page may be short and have one
  record AuditPage(List<AuditEntry> entries, Optional<String> cursor) {}

  /// Line of the record of acts.
  ///
  /// @param phase `intended`, `done`, `failed` or `refused`
  record AuditEntry(
      Instant time,
      String phase,
      String who,
      String role,
      String address,
      String act,
      String reason,
      Optional<Object> request,
      Optional<Object> before,
      Optional<Object> after) {
    static AuditEntry of(AuditLog.Entry entry) {
      return new AuditEntry(
          entry.time(),
          entry.phase(),
          entry.who(),
          entry.role(),
          entry.address(),
          entry.act(),
          entry.why(),
          Optional.ofNullable(entry.request()),
          Optional.ofNullable(entry.before()),
          Optional.ofNullable(entry.after()));
    }
  }

  /// A task in flight.
  ///
  /// @param broker that has it; absent if its partition has no owner now
  ///
  /// @param status as stored
  /// @param state of the engine, as in docs/task-states.md; absent at another broker
  /// @param attempts processing deadlines that passed
  /// @param priority -4 to 4, the highest first; 0 is normal
  /// @param waiting why it does not run now; absent at another broker
  record Task(
      String id,
      String application,
      String namespace,
      String taskname,
      String status,
      Optional<String> state,
      Optional<Waiting> waiting,
      int attempts,
      int priority,
      boolean atMostOnce,
      Instant receivedAt,
      Optional<Instant> delayUntil,
      Optional<Instant> expiresAt,
      Optional<Instant> deadline,
      boolean parked,
      Optional<String> forwardTo,
      Optional<String> broker,
      String topic,
      int partition,
      long offset,
      long payloadBytes) {}

  /// Why a task does not run now.
  ///
  /// @param reason such as `QUEUED`
  /// @param until when that ends by itself
  /// @param advice what to do, if it should run
  record Waiting(String reason, Optional<Instant> until, String detail, String advice) {}

  /// Tasks found.
  ///
  /// @param cursor of the next page; absent if there is none. A page may be short or empty and have
  ///   one: the search ended by its time
  record TaskPage(List<Task> tasks, Optional<String> cursor) {}

  /// A task in full.
  ///
  /// @param attempt 1 for the first, one more for each retry
  /// @param arguments decoded, without secret values
  /// @param problem why they are absent or incomplete
  /// @param history what happened to it since this broker has it in memory, if that is recorded
  record TaskDetail(
      Task task,
      Map<String, String> headers,
      long attempt,
      long maxAttempts,
      Optional<Object> arguments,
      Optional<String> problem,
      List<Step> history) {}

  /// A step in the history of a task.
  ///
  /// @param step such as `delivered`; docs/admin.md explains them
  /// @param detail such as the number of the delivery and the worker
  record Step(String step, Instant at, Optional<String> detail) {}

  /// A finished task.
  ///
  /// @param firstId id of the first attempt, if it was a retry by way of Kafka
  /// @param message why it failed
  /// @param deliveredAt first delivery by the broker that ended it
  /// @param keptUntil when its record may be deleted
  /// @param deliveries by the broker that ended it
  /// @param worker that had it last, if it has a name
  /// @param topic absent if a client enqueued it
  /// @param resultBytes size of the kept result
  record Finished(
      String id,
      Optional<String> firstId,
      String application,
      String namespace,
      String taskname,
      String outcome,
      Optional<String> message,
      Instant receivedAt,
      Optional<Instant> deliveredAt,
      Instant endedAt,
      Instant keptUntil,
      int deliveries,
      Optional<String> worker,
      Optional<String> topic,
      Optional<Integer> partition,
      Optional<Long> offset,
      int resultBytes) {}

  /// Finished tasks found, newest first.
  ///
  /// @param cursor as that of tasks in flight
  record FinishedPage(List<Finished> tasks, Optional<String> cursor) {}

  /// A finished task with what happened to it.
  record FinishedDetail(Finished task, List<Step> history) {}

  /// Outcome of an act on a task.
  ///
  /// @param detail the state before, or why it was not done
  record ActOutcome(String id, boolean done, String detail) {}

  /// Outcome of an act.
  ///
  /// @param matched tasks that were examined
  /// @param more whether more tasks match than `limit`
  record ActResult(
      String act, boolean dryRun, int matched, int done, boolean more, List<ActOutcome> tasks) {}

  /// Rules in force: those of the file `runtime_config_path`, and those that were set by the API.
  ///
  /// @param switchedOff task names that are switched off, at least for some arguments
  /// @param demoted namespaces whose tasks are forwarded
  /// @param problem why the file, or the newest version, is not applied as it is
  /// @param inForce each rule of each source
  /// @param version of the rules of the API; 0 if none were ever set
  /// @param rules of the API, in YAML
  /// @param set how that version was set
  record Rules(
      Optional<String> file,
      List<String> switchedOff,
      List<String> demoted,
      Optional<String> problem,
      List<Rule> inForce,
      long version,
      String rules,
      Optional<RuleVersion> set) {}

  /// A rule in force.
  ///
  /// @param effect `switched_off` or `demoted`
  /// @param name of the task or the namespace
  /// @param source `file` or `api`
  /// @param matches tasks that it applied to, since it came into force at this broker
  record Rule(String effect, String name, String source, long matches) {}

  /// Version of the rules of the API.
  record RuleVersion(long version, Instant time, String who, String reason) {}

  /// Versions of the rules.
  record RuleVersions(List<RuleVersion> versions) {}

  /// Version of the rules with its text.
  record RuleVersionDetail(RuleVersion version, String rules) {}

  /// Difference of two versions; version 0 has no rules.
  ///
  /// @param diff lines of a unified diff; none if they are equal
  record RulesDiff(long from, long to, List<String> diff) {}

  /// Change of the rules.
  ///
  /// @param version in force after it
  /// @param warnings oddities, such as unknown keys
  /// @param touched with a dry run: tasks in flight that it would touch
  record RulesChange(
      long version,
      boolean dryRun,
      List<String> warnings,
      List<String> diff,
      Optional<Touched> touched) {}

  /// Tasks in flight that rules would touch.
  ///
  /// @param removed switched off by their name
  /// @param removedByArguments the most that are switched off by their arguments
  /// @param complete whether all tasks were counted
  record Touched(long removed, long removedByArguments, long demoted, boolean complete) {}

  /// State before an act, for the record of acts.
  ///
  /// @param rulesVersion of the rules of the API
  record Before(List<Pause> pauses, long rulesVersion) {}

  /// Levels that are set, by logger.
  record LogLevels(Map<String, String> levels) {}

  /// A schedule.
  ///
  /// @param nextSlot absent if it is paused or has no further slot
  record Schedule(
      String name,
      Optional<String> cron,
      Optional<String> timeZone,
      Optional<Double> everySeconds,
      boolean paused,
      Optional<Instant> nextSlot,
      Optional<Instant> lastSlot,
      Optional<String> lastTaskId,
      String application,
      String namespace,
      String taskname,
      Optional<String> description) {}

  /// Schedules, in the order of names.
  ///
  /// @param cursor of the next page; absent if there is none
  record SchedulePage(List<Schedule> schedules, Optional<String> cursor) {}

  /// A schedule in full.
  ///
  /// @param arguments decoded, without secret values
  /// @param problem why they are absent or incomplete
  /// @param definition as `PUT` takes it, with `[redacted]` for secret values; absent if `PUT`
  ///   could not give it all that it has
  /// @param nextTimes its next slots, paused or not
  /// @param lastFirings what became of its latest slots, latest first
  record ScheduleDetail(
      Schedule schedule,
      Optional<Double> phaseSeconds,
      Optional<Instant> start,
      Optional<Instant> end,
      Optional<Double> jitterSeconds,
      String missed,
      Optional<Integer> missedLimit,
      Map<String, String> headers,
      Optional<Object> arguments,
      Optional<String> problem,
      Optional<ScheduleDefinition> definition,
      Instant createdAt,
      Instant updatedAt,
      List<Instant> nextTimes,
      List<Firing> lastFirings) {}

  /// A schedule in the form in which it is put.
  record ScheduleDefinition(
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
      Bodies.ScheduledTask task) {}

  /// Next slots of a schedule that need not exist; none if it ends before.
  record SlotTimes(List<Instant> nextTimes) {}

  /// Outcome of a slot.
  ///
  /// @param outcome `enqueued`, `switched_off`, `already_exists`, `rejected`, or `skipped`: the
  ///   slot and those up to the one before in the list were missed
  record Firing(Instant slot, Instant at, String outcome, Optional<String> taskId) {}

  /// A task was enqueued.
  record EnqueuedTask(String taskId) {}

  /// Something was done.
  record Done(String done) {}
}
