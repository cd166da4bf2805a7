package io.taskbroker.inflight.api;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Input of the engine.
public sealed interface Command {

  /// Request of a worker. Bounded: may be refused before it reaches the engine (H14).
  sealed interface Request extends Command {
    /// Answers that the broker cannot accept the request or can no longer answer it: the worker
    /// must try again. Called by any thread, at most once, instead of the answer.
    void unavailable(String why);
  }

  /// Reports of one call, answered when the effects of all of them are durable (G2).
  record Report(List<Update> updates, @Nullable Claim next, ReportReply reply) implements Request {
    public Report {
      updates = List.copyOf(updates);
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// Report of a worker on one activation.
  ///
  /// @param status `COMPLETE`, `FAILURE` or `RETRY`
  /// @param maxAttempts with a retry: the new maximum of attempts, negative if not given
  /// @param delayOnRetry with a retry: seconds until it may run, negative if not given
  /// @param token of the delivery that the report is about, which makes it stale after the next
  ///   one; null if the worker's protocol does not carry it
  record Update(
      String id, Status status, long maxAttempts, long delayOnRetry, @Nullable AttemptToken token) {
    /// Report of a worker whose protocol does not carry tokens.
    public Update(String id, Status status, long maxAttempts, long delayOnRetry) {
      this(id, status, maxAttempts, delayOnRetry, null);
    }

    /// The report without the id, for the log. The wire contract carries no reason.
    public String described() {
      String said = status.storedName();
      said += maxAttempts < 0 ? "" : ", max_attempts " + maxAttempts;
      return said + (delayOnRetry < 0 ? "" : ", delay_on_retry " + delayOnRetry);
    }
  }

  /// Answer to a report. Called by the engine's thread: must not block.
  interface ReportReply {
    /// One of the reports is about an unknown id, which is no error (G6). Called before the answer.
    default void unknown() {}

    /// Everything is durable.
    ///
    /// @param next the activation that the worker asked for with its report; null if it did not
    ///   ask, or if there is none
    void done(@Nullable Delivery next);

    void unavailable(String why);

    /// Whether the caller is gone. An activation delivered to nobody would not run before its
    /// deadline passes.
    default boolean isGone() {
      return false;
    }
  }

  /// Request of a worker for an activation.
  ///
  /// @param application null for any application
  /// @param namespace null for any namespace
  record Claim(@Nullable String application, @Nullable String namespace, ClaimReply reply)
      implements Request {
    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// Answer to a claim. Called by the engine's thread: must not block.
  interface ClaimReply {
    /// Answers the claim.
    ///
    /// @param delivery null if no activation is available
    void done(@Nullable Delivery delivery);

    void unavailable(String why);

    /// Whether the caller is gone. An activation delivered to nobody would not run before its
    /// deadline passes.
    default boolean isGone() {
      return false;
    }
  }

  /// Activations from a source other than Kafka. They have no partition: no watermark covers them,
  /// and they stay with this broker whatever partitions move (H23). Those that are due later, or
  /// have no room in memory, are parked.
  ///
  /// @param steps for each activation the step of the schedule that enqueues it; empty if they come
  ///   from clients
  record Enqueue(List<Activation> activations, List<ScheduleStep> steps, EnqueueReply reply)
      implements Request {
    /// Activations of clients.
    public Enqueue(List<Activation> activations, EnqueueReply reply) {
      this(activations, List.of(), reply);
    }

    public Enqueue {
      activations = List.copyOf(activations);
      steps = List.copyOf(steps);
      for (Activation activation : activations) {
        if (activation.origin().partition() >= 0) {
          throw new IllegalArgumentException(
              "Enqueued activation "
                  + activation.id()
                  + " has a partition: "
                  + activation.origin());
        }
      }
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// Answer to an enqueue. Called by the engine's thread: must not block.
  interface EnqueueReply {
    /// Every accepted activation is durable.
    ///
    /// @param outcomes one for each activation, in their order
    void done(List<EnqueueOutcome> outcomes);

    /// Nothing is known about any of the activations: the sender must try again.
    void unavailable(String why);
  }

  /// A worker opens a stream: it receives tasks until it is closed, as many as it has slots. Not a
  /// request: these wait for room in the store, and what the worker sends next would overtake it.
  ///
  /// @param namespaces only tasks of these; empty for all
  /// @param slots number of tasks that it has at once
  record WorkerOpened(WorkerSession session, String application, List<String> namespaces, int slots)
      implements Command {
    public WorkerOpened {
      namespaces = List.copyOf(namespaces);
    }
  }

  /// The number of slots of a worker, whether it changed or not.
  record WorkerSlots(WorkerSession session, int slots) implements Command {}

  /// A worker still runs these tasks.
  record WorkerHeartbeat(WorkerSession session, List<TaskHeartbeat> tasks) implements Command {
    public WorkerHeartbeat {
      tasks = List.copyOf(tasks);
    }
  }

  /// A task that its worker still runs.
  ///
  /// @param progress for people, at most 1 KiB; empty keeps the last one
  record TaskHeartbeat(String id, AttemptToken token, String progress) {
    /// Heartbeat without progress.
    public TaskHeartbeat(String id, AttemptToken token) {
      this(id, token, "");
    }
  }

  /// The stream of a worker ended.
  ///
  /// @param silent whether the worker said nothing for its lease, and so is dead
  record WorkerClosed(WorkerSession session, boolean silent) implements Command {}

  /// Results of a worker, answered when the effects of all of them are durable (G2).
  record Results(WorkerSession session, List<Result> results, ResultsReply reply)
      implements Request {
    public Results {
      results = List.copyOf(results);
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// Result of one attempt.
  record Result(String id, AttemptToken token, Outcome outcome) {}

  /// Outcome of an attempt.
  sealed interface Outcome {
    /// The attempt completed.
    ///
    /// @param result may be empty; at most 64 KiB
    @SuppressWarnings("ArrayRecordComponent") // compared only if it is empty
    record Completed(byte[] result) implements Outcome {
      private static final byte[] NONE = {};

      /// Completed without a result.
      public Completed() {
        this(NONE);
      }
    }

    /// The attempt failed.
    ///
    /// @param last whether another attempt would fail as well
    /// @param retryAfter milliseconds before the next attempt, negative if the retry policy of the
    ///   task decides
    /// @param maxAttempts maximum of attempts, negative if the retry policy decides
    record Failed(String message, boolean last, long retryAfter, long maxAttempts)
        implements Outcome {}

    /// The worker did not begin it, and gives it back.
    record Released() implements Outcome {}
  }

  /// Answer to results. Called by the engine's thread: must not block.
  interface ResultsReply {
    /// Everything is durable.
    ///
    /// @param statuses one for each result, in their order
    void done(List<ResultStatus> statuses);

    void unavailable(String why);
  }

  /// Question of a client about a task.
  record Ask(TaskQuery query) implements Request {
    @Override
    public void unavailable(String why) {
      query.reply().unavailable(why);
    }
  }

  /// A caller no longer awaits a task.
  record AskNoMore(TaskQuery query) implements Command {}

  /// Records of one partition in the order of their offsets. The sender bounds how many of them the
  /// engine has; the engine reports progress through [OffsetPort#consumed].
  ///
  /// @param arrivals may be empty, if a rule dropped all records
  /// @param nextOffset offset of the records after these
  /// @param bytes size of the records, for the sender's accounting
  /// @param last the last record that was read; null if none was
  record Ingest(
      SourcePartition partition,
      List<IngestedRecord> arrivals,
      long nextOffset,
      long bytes,
      @Nullable RecordIdentity last)
      implements Command {
    public Ingest(
        SourcePartition partition, List<IngestedRecord> arrivals, long nextOffset, long bytes) {
      this(partition, arrivals, nextOffset, bytes, null);
    }
  }

  /// Answer to [OffsetPort#waitsForRoom]: behind the records that it submitted, the reader found a
  /// record of another application in Kafka.
  ///
  /// @param offset its offset, in a partition of the same topic
  record LookaheadFound(SourcePartition partition, long offset) implements Command {}

  /// Record that was read from Kafka.
  ///
  /// @param undecodable why it is not an activation; null if it is one
  /// @param identity of the record; null if unknown
  record IngestedRecord(
      Activation activation, @Nullable String undecodable, @Nullable RecordIdentity identity) {
    public IngestedRecord(Activation activation, @Nullable String undecodable) {
      this(activation, undecodable, null);
    }

    /// The same record with its identity.
    public IngestedRecord with(RecordIdentity known) {
      return new IngestedRecord(activation, undecodable, known);
    }
  }

  /// The partition is assigned to this broker, which reads from some offset on.
  ///
  /// @param committed the offset that is committed in Kafka,
  ///   [io.taskbroker.activation.Watermark#NONE] if none is (H2)
  /// @param reached records below it that arrive now may have run before, on this broker or
  ///   another: the at-most-once ones among them meet their failure policy (G3)
  /// @param goneFrom records from it on that were read before are no longer in the log;
  ///   [#NOTHING_GONE] if all may be there
  record PartitionAssigned(SourcePartition partition, long committed, long reached, long goneFrom)
      implements Command {
    public static final long NOTHING_GONE = Long.MAX_VALUE;

    public PartitionAssigned(SourcePartition partition, long committed) {
      this(partition, committed, committed, NOTHING_GONE);
    }
  }

  /// The partition is revoked. Its records that are not accepted yet are dropped; when the accepted
  /// ones are durable the engine answers with [OffsetPort#drained].
  ///
  /// In a shared store the engine also releases all tasks in flight of the partition (H17): it
  /// delivers none of them, writes the status of those that workers have, and is drained when none
  /// of them is pending with the store, a worker's call or Kafka. The tasks of a lost partition
  /// leave memory at once, and the engine is drained when the outcome of each of its changes is
  /// known. A partition may be reported as lost after it was reported as revoked.
  ///
  /// @param lost whether another broker may have it already, or nobody waits for the release any
  ///   more
  record PartitionRevoked(SourcePartition partition, boolean lost) implements Command {}

  /// Kafka acknowledged a commit of the current generation.
  record OffsetCommitted(SourcePartition partition, long offset) implements Command {}

  /// The rows in a shared store of a partition that this broker has just acquired, in any number of
  /// pages, all of them before [PartitionAssigned]. The partition must not be acquired again before
  /// the engine reports it [OffsetPort#drained]. The reports must be read after the rows were
  /// submitted: then each is in a page, or arrives as [RemoteReportsRead] (H3).
  ///
  /// @param rows rows that are not parked
  /// @param tombstones the ids that ended, with the ends of their tombstones, milliseconds since
  ///   the epoch
  /// @param reports reports that other brokers recorded
  /// @param inOrder whether the former owner released the partition, so that no worker has what is
  ///   `PENDING`; otherwise such rows wait a moment, as after a restart
  record PartitionLoaded(
      SourcePartition partition,
      List<Row> rows,
      List<ParkedRow> parked,
      Map<Fingerprint, Long> tombstones,
      List<RemoteReport> reports,
      boolean inOrder)
      implements Command {
    public PartitionLoaded {
      rows = List.copyOf(rows);
      parked = List.copyOf(parked);
      tombstones = Map.copyOf(tombstones);
      reports = List.copyOf(reports);
    }
  }

  /// Reports that other brokers received and recorded, on rows that this broker has or had (H3).
  record RemoteReportsRead(List<RemoteReport> reports) implements Command {}

  /// Answer to [StorePort#forwardReports].
  ///
  /// @param known for each report, whether the store has a row of its id
  record ReportsForwarded(List<Boolean> known, Object owner) implements Command {}

  /// Answer to [StorePort#readReports].
  record ReportsRead(List<RemoteReport> reports, Object owner) implements Command {}

  /// Answer to [StorePort#readFinished].
  ///
  /// @param found null if there is no such record
  record FinishedRead(@Nullable FinishedTask found, Object owner) implements Command {}

  /// Answer to [StorePort#barrier].
  record BarrierPassed(Object owner) implements Command {}

  /// Renewal of the broker's lease in the shared store, a lower bound of its end: after it nothing
  /// is delivered (H9, H11). The lease ends when either clock says so: the monotonic clock of a
  /// suspended machine may have stopped.
  ///
  /// @param until monotonic milliseconds, as the engine counts them
  /// @param wallUntil milliseconds since the epoch
  record LeaseRenewed(long until, long wallUntil) implements Command {
    /// Lease by the monotonic clock only.
    public LeaseRenewed(long until) {
      this(until, Long.MAX_VALUE);
    }
  }

  /// The store reports that the rows of this partition belong to another broker (H10): all its
  /// tasks leave memory.
  record PartitionLost(String topic, int partition) implements Command {}

  /// Changes that were not made, because their partitions are no longer this broker's (H10).
  ///
  /// @param changes in the order in which they were made
  record Fenced(List<Change> changes) implements Command {}

  /// The shared store was rolled back: it may lack any row that is in memory of a partition, so all
  /// partitions are lost (docs/adr/0012).
  record StoreRewound() implements Command {}

  /// Changes that became durable.
  ///
  /// @param changes in the order in which they were made, except for H12
  /// @param outcomes the store's answer to each change; empty if all were applied
  record Committed(List<Change> changes, List<ChangeOutcome> outcomes) implements Command {
    /// Changes that were all applied.
    public Committed(List<Change> changes) {
      this(changes, List.of());
    }
  }

  /// The store can never hold this change, nor a replacement for it (H12).
  record Rejected(Change change, String why) implements Command {}

  /// The rows that [StorePort#readParked] asked for.
  ///
  /// @param nextDue when the first row after the page is due; [Row#NONE] if there is none
  record ParkedRead(String application, int priority, List<Row> rows, long nextDue, long upTo)
      implements Command {}

  /// Answer to [StorePort#readRows]: the rows that exist.
  record RowsRead(List<Row> rows, Object owner) implements Command {}

  /// End of a push call.
  record PushEnded(Delivery delivery, PushResult result) implements Command {
    /// End of a call.
    ///
    /// @param others as in [PushResult]
    public PushEnded(Delivery delivery, PushOutcome outcome, String detail, boolean others) {
      this(delivery, PushResult.of(outcome, detail, others));
    }

    /// End of a call to the only known worker of its application.
    public PushEnded(Delivery delivery, PushOutcome outcome, String detail) {
      this(delivery, outcome, detail, false);
    }

    public PushOutcome outcome() {
      return result.outcome();
    }

    public String detail() {
      return result.detail();
    }

    public boolean others() {
      return result.others();
    }

    public String worker() {
      return result.worker();
    }
  }

  /// Kafka acknowledged a forwarded record.
  record Produced(OutboxRecord record) implements Command {}

  /// A forwarded record that Kafka will not take (H19): the engine tries it again now and then. The
  /// outbox itself retries all other failures.
  record ProduceRefused(OutboxRecord record, String why) implements Command {}

  /// Size of the store in bytes.
  record StoreSizeMeasured(long bytes) implements Command {}

  /// New rules.
  record RulesChanged(Rules rules) implements Command {}

  /// Request for the engine's figures. Costs a look at each application.
  ///
  /// @param reply called by the engine's thread: must not block
  record ReadStats(Consumer<EngineStats> reply) implements Command {}

  /// Request of an operator to list or act on quarantined activations.
  ///
  /// @param reply called by the engine's thread: must not block
  record Quarantined(QuarantineRequest order, Consumer<QuarantineAnswer> reply)
      implements Command {}

  /// Request of an operator.
  record Operate(OperatorRequest request) implements Command {}

  /// The broker is about to stop: nothing more is delivered, and the status of what workers have is
  /// written (H17).
  record Drain() implements Command {}
}
