package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import java.util.List;
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
  record Update(String id, Status status, long maxAttempts, long delayOnRetry) {}

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

  /// An activation that comes from elsewhere than Kafka, and that no watermark counts, whatever
  /// origin it names (H23). It is refused where a record would wait or be parked: whoever sends it
  /// can try again.
  record Enqueue(Activation activation, EnqueueReply reply) implements Request {
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
  record Ingest(SourcePartition partition, List<Arrival> arrivals, long nextOffset, long bytes)
      implements Command {}

  /// A record that was read from Kafka.
  ///
  /// @param undecodable why it is not an activation; null if it is one
  record Arrival(Activation activation, @Nullable String undecodable) {}

  /// The partition is this broker's, and reading goes on at some offset.
  ///
  /// @param committed the offset that is committed in Kafka,
  ///   [io.taskbroker.activation.Watermark#NONE] if none is (H2)
  record Assigned(SourcePartition partition, long committed) implements Command {}

  /// The partition is being given up. Records of it that are not accepted yet are dropped; when the
  /// accepted ones are durable the engine says so by [Effects#drained].
  ///
  /// @param lost whether somebody else may have it already
  record Revoked(SourcePartition partition, boolean lost) implements Command {}

  /// Kafka acknowledged a commit of the current generation.
  record OffsetCommitted(SourcePartition partition, long offset) implements Command {}

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

  /// What became of a push.
  record Pushed(Delivery delivery, PushOutcome outcome, String detail) implements Command {}

  /// Kafka acknowledged a departure.
  record Produced(Departure departure) implements Command {}

  /// Kafka will never take this departure (H19); everything else the outbox tries again by itself.
  record Refused(Departure departure, String why) implements Command {}

  /// The store takes so many bytes.
  record StoreSized(long bytes) implements Command {}

  /// Other rules hold from now on.
  record RulesChanged(Rules rules) implements Command {}

  /// Somebody wants to know how much there is. Costs a look at each application.
  ///
  /// @param reply called by the engine's thread: must not block
  record Count(Consumer<Census> reply) implements Command {}

  /// The broker is about to stop: nothing more is to be handed out, and what workers have is to be
  /// written down (H17).
  record Drain() implements Command {}
}
