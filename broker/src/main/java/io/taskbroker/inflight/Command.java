package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What the engine is told.
public sealed interface Command {

  /// What workers ask for. Bounded: may be refused before it reaches the engine (H14).
  sealed interface Request extends Command {
    /// Called, by any thread and at most once, in place of an answer, when the broker cannot take
    /// the request or can no longer answer it: the worker is to try again.
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

  /// What a worker says of one activation.
  ///
  /// @param status `COMPLETE`, `FAILURE` or `RETRY`
  /// @param maxAttempts with a retry: the new bound of attempts, negative if not given
  /// @param delayOnRetry with a retry: seconds until it may run, negative if not given
  record Update(String id, Status status, long maxAttempts, long delayOnRetry) {
    /// What the worker said, but for the id. The contract has no reason.
    String described() {
      String said = status.storedName();
      said += maxAttempts < 0 ? "" : ", max_attempts " + maxAttempts;
      return said + (delayOnRetry < 0 ? "" : ", delay_on_retry " + delayOnRetry);
    }
  }

  /// The answer to a report. Called by the engine's thread: must not block.
  interface ReportReply {
    /// One of the reports is about an id that nothing is known of, which is no error (G6). Said
    /// before the answer.
    default void unknown() {}

    /// Everything is durable.
    ///
    /// @param next the activation that the worker asked for with its report; null if it did not, or
    ///   there is none
    void done(@Nullable Delivery next);

    void unavailable(String why);

    /// Whether nobody waits for the answer any more. An activation that is handed out to nobody
    /// would not run before its deadline has passed.
    default boolean isGone() {
      return false;
    }
  }

  /// A worker wants an activation.
  ///
  /// @param application null: of any application
  /// @param namespace null: of any namespace
  record Claim(@Nullable String application, @Nullable String namespace, ClaimReply reply)
      implements Request {
    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// The answer to a claim. Called by the engine's thread: must not block.
  interface ClaimReply {
    /// What there is.
    ///
    /// @param delivery null if there is nothing to be had
    void done(@Nullable Delivery delivery);

    void unavailable(String why);

    /// Whether nobody waits for the answer any more. An activation that is handed out to nobody
    /// would not run before its deadline has passed.
    default boolean isGone() {
      return false;
    }
  }

  /// An activation that comes from elsewhere than Kafka: from no partition, so that no watermark
  /// counts it, and it stays with this broker whatever partitions come and go (H23). It is refused
  /// where a record would wait or be parked: whoever sends it can try again.
  record Enqueue(Activation activation, EnqueueReply reply) implements Request {
    public Enqueue {
      if (activation.origin().partition() >= 0) {
        throw new IllegalArgumentException(
            "Activation " + activation.id() + " is enqueued, yet from " + activation.origin());
      }
    }

    @Override
    public void unavailable(String why) {
      reply.unavailable(why);
    }
  }

  /// The answer to an enqueue. Called by the engine's thread: must not block.
  interface EnqueueReply {
    /// The activation is durable.
    void done();

    /// It was not taken in.
    void unavailable(String why);
  }

  /// Records of one partition in the order of their offsets. The sender bounds how many of them are
  /// with the engine, which reports progress through [Effects#consumed].
  ///
  /// @param arrivals may be empty, if all records were dropped by a rule
  /// @param nextOffset where the records after these begin
  /// @param bytes the size of the records, for the sender's accounts
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

  /// The reader looked at what is in Kafka behind the records that it handed over, as
  /// [Effects#stands] asked for, and found a record of another application.
  ///
  /// @param offset where it is, in a partition of the same topic
  record Foreseen(SourcePartition partition, long offset) implements Command {}

  /// A record that was read from Kafka.
  ///
  /// @param undecodable why it is not an activation; null if it is one
  record IngestedRecord(Activation activation, @Nullable String undecodable) {}

  /// The partition is this broker's, and reading goes on at some offset.
  ///
  /// @param committed the offset that is committed in Kafka,
  ///   [io.taskbroker.activation.Watermark#NONE] if none is (H2)
  /// @param reached records below it that come now may have been run before, by this broker or
  ///   another: those that may run only once meet their failure policy (G3)
  /// @param goneFrom records from it on that were read before are not in the log any more;
  ///   [#NOTHING_GONE] if all may be there
  record PartitionAssigned(SourcePartition partition, long committed, long reached, long goneFrom)
      implements Command {
    public static final long NOTHING_GONE = Long.MAX_VALUE;

    public PartitionAssigned(SourcePartition partition, long committed) {
      this(partition, committed, committed, NOTHING_GONE);
    }
  }

  /// The partition is being given up. Records of it that are not accepted yet are dropped; when the
  /// accepted ones are durable the engine says so by [Effects#drained].
  ///
  /// In a store that brokers share all that is in flight of it is given up, too (H17): nothing of
  /// it is handed out any more, what workers have is marked, and the engine is drained when nothing
  /// of it is under way with the store, a worker's call or Kafka. Of a lost one everything leaves
  /// memory at once, and the engine is drained when the fate of each of its changes is known. The
  /// partition may be told as lost after it was told as given up.
  ///
  /// @param lost whether somebody else may have it already, or nobody waits for it any more
  record PartitionRevoked(SourcePartition partition, boolean lost) implements Command {}

  /// Kafka acknowledged a commit of the current generation.
  record OffsetCommitted(SourcePartition partition, long offset) implements Command {}

  /// What a store that brokers share has of a partition that this broker has just taken, in any
  /// number of pages, all of them before [PartitionAssigned]. The partition may not be taken again
  /// before the engine has said that it is [Effects#drained] of it. The reports are to be read
  /// after the rows were told: then each is in a page, or comes as [RemoteReportsRead] (H3).
  ///
  /// @param rows that are not parked
  /// @param tombstones the ids that ended, with the ends of their tombstones, milliseconds since
  ///   the epoch
  /// @param reports that other brokers recorded
  /// @param inOrder whether the former owner gave the partition up, so that no worker has what is
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

  /// Reports that other brokers got and recorded, of rows that are, or were, this broker's (H3).
  record RemoteReportsRead(List<RemoteReport> reports) implements Command {}

  /// The answer to [Effects#forwardReports].
  ///
  /// @param known of each report whether the store has a row of its id
  record ReportsForwarded(List<Boolean> known, Object owner) implements Command {}

  /// The answer to [Effects#readReports].
  record ReportsRead(List<RemoteReport> reports, Object owner) implements Command {}

  /// The answer to [Effects#barrier].
  record BarrierPassed(Object owner) implements Command {}

  /// The broker's lease in the store that brokers share lasts at least so long: after it nothing is
  /// handed out (H9, H11). It ends when either clock says so: a machine that was suspended may have
  /// a monotonic clock that did not go on.
  ///
  /// @param until monotonic milliseconds, as [Engine#advance] counts them
  /// @param wallUntil milliseconds since the epoch
  record LeaseRenewed(long until, long wallUntil) implements Command {
    /// A lease by the monotonic clock only.
    public LeaseRenewed(long until) {
      this(until, Long.MAX_VALUE);
    }
  }

  /// The store says that rows of this partition of the topic are another broker's now (H10):
  /// everything of it leaves memory.
  record PartitionLost(String topic, int partition) implements Command {}

  /// Changes were not made: their partitions are no longer this broker's (H10).
  ///
  /// @param changes in the order in which they were made
  record Fenced(List<Change> changes) implements Command {}

  /// The store that brokers share went back in time: nothing that is in memory of partitions is
  /// known to be in it, and all of them are lost (docs/adr/0012).
  record WentBack() implements Command {}

  /// Changes became durable.
  ///
  /// @param changes in the order in which they were made, except for H12
  record Committed(List<Change> changes) implements Command {}

  /// The store cannot hold a change, whatever is tried, nor anything in its place (H12).
  record Rejected(Change change, String why) implements Command {}

  /// The rows that [Effects#readParked] asked for.
  ///
  /// @param nextDue when the first row that is not in the page is due; [Row#NONE] if there is none
  record ParkedRead(String application, List<Row> rows, long nextDue, long upTo)
      implements Command {}

  /// The answer to [Effects#readRows]: those of the rows that there are.
  record RowsRead(List<Row> rows, Object owner) implements Command {}

  /// What became of a push.
  ///
  /// @param others whether there are connections to other workers of the application, so that what
  ///   the outcome says of a worker need not hold for all of them
  record PushEnded(Delivery delivery, PushOutcome outcome, String detail, boolean others)
      implements Command {
    /// Of an application of which only the worker that was called is known.
    public PushEnded(Delivery delivery, PushOutcome outcome, String detail) {
      this(delivery, outcome, detail, false);
    }
  }

  /// Kafka acknowledged a departure.
  record Produced(OutboxRecord record) implements Command {}

  /// This departure cannot be produced (H19): the engine tries it again now and then. Everything
  /// else the outbox tries again by itself.
  record ProduceRefused(OutboxRecord record, String why) implements Command {}

  /// The store takes so many bytes.
  record StoreSizeMeasured(long bytes) implements Command {}

  /// Other rules hold from now on.
  record RulesChanged(Rules rules) implements Command {}

  /// Somebody wants to know how much there is. Costs a look at each application.
  ///
  /// @param reply called by the engine's thread: must not block
  record ReadStats(Consumer<EngineStats> reply) implements Command {}

  /// An operator asks for what cannot be produced, or decides on it.
  ///
  /// @param reply called by the engine's thread: must not block
  record Quarantined(QuarantineRequest order, Consumer<QuarantineAnswer> reply)
      implements Command {}

  /// The broker is about to stop: nothing more is to be handed out, and what workers have is to be
  /// written down (H17).
  record Drain() implements Command {}
}
