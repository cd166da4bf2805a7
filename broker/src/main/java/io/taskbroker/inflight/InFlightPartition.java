package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Rules;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Partition as the engine sees it: records that are not accepted yet, and tasks that wait for
/// their offset commit. Not thread-safe.
final class InFlightPartition {
  final SourcePartition source;

  /// Batches from Kafka, in order; the head may be partly accepted.
  final ArrayDeque<Batch> batches = new ArrayDeque<>();

  /// Durable at-most-once rows by offset (H2); they arrive in that order, unless reading goes back.
  final PriorityQueue<AwaitingOffsetCommit> awaitingCommit =
      new PriorityQueue<>(Comparator.comparingLong(AwaitingOffsetCommit::offset));

  /// The offset committed at the assignment: another broker may have run the records below it.
  long assignedAt = Watermark.NONE;

  /// The offset that Kafka last acknowledged to this broker.
  long committed = Watermark.NONE;

  /// Records that were stored before the log lost them: no commit confirms them.
  private final List<Gone> gone = new ArrayList<>();

  /// When a held-back partition is counted again, monotonic milliseconds.
  long deferredUntil = Long.MIN_VALUE;

  /// Watermarks that are not durable yet.
  int pendingWatermarks;

  /// Tasks of a partition that is being released which still have something pending.
  final List<InFlightTask> remaining = new ArrayList<>();

  /// Barriers that are pending: one for each loss while the outcome of changes was unknown.
  int barriers;

  /// The application at its limit that the partition waits for, as the reader knows it.
  @Nullable String blockedApplication;

  /// How often the application changes along the waiting records, counted from the one last met at
  /// the head: above 0, another application waits behind the head.
  private int changes;

  private @Nullable String head;
  private @Nullable String tail;

  boolean revoked;
  boolean draining;

  /// Whether another broker may have had the partition since.
  boolean lost;

  InFlightPartition(SourcePartition partition) {
    this.source = partition;
  }

  /// Records that a record of the application arrived at the tail.
  void arrived(String application) {
    if (tail == null) {
      head = application;
    } else if (!tail.equals(application)) {
      changes++;
    }
    tail = application;
  }

  /// Records that a record of the application is, or was, at the head.
  void passed(String application) {
    if (!application.equals(head)) {
      changes--;
      head = application;
    }
  }

  /// Whether a record of another application than the head's waits behind the head.
  boolean hasOtherThan(String application) {
    passed(application);
    return changes > 0;
  }

  /// The log has lost the records from `offset` on whose rows have keys up to `lastKey`.
  void lose(long offset, long lastKey) {
    gone.removeIf(each -> each.offset >= offset);
    gone.add(new Gone(offset, lastKey));
  }

  /// Whether the log has lost the record of a row.
  ///
  /// @param lastKey the largest key that this broker has assigned; larger ones are of former owners
  boolean isGone(long offset, long key, long lastKey) {
    for (Gone each : gone) {
      if (offset >= each.offset && (key <= each.lastKey || key > lastKey)) {
        return true;
      }
    }
    return false;
  }

  /// Drops all waiting records.
  void clear() {
    batches.clear();
    blockedApplication = null;
    changes = 0;
    head = null;
    tail = null;
  }

  /// Records from an offset on, of rows with keys up to that one.
  private record Gone(long offset, long lastKey) {}

  /// Records that arrived together, and how many of them are accepted.
  static final class Batch {
    final Command.Ingest records;
    int next;

    /// How many of the accepted records are behind a watermark, and their size in bytes.
    int settled;

    long settledBytes;

    private int judged = -1;
    private Rules judgedBy = Rules.NONE;
    private Rules.Decision decision = Rules.Decision.Kept.AS_IT_IS;

    Batch(Command.Ingest records) {
      this.records = records;
    }

    /// Decision of the rules on the head, made once however often it must wait.
    Rules.Decision decision(Rules rules, Activation head) {
      if (judged != next || !rules.equals(judgedBy)) {
        judged = next;
        judgedBy = rules;
        decision = rules.judge(head);
      }
      return decision;
    }

    Command.@Nullable IngestedRecord head() {
      return next < records.arrivals().size() ? records.arrivals().get(next) : null;
    }
  }

  /// A row that must not run before the offset behind it is committed.
  ///
  /// @param task null if the row is parked
  record AwaitingOffsetCommit(long key, String id, Origin origin, @Nullable InFlightTask task) {
    long offset() {
      return origin.offset();
    }
  }

  /// Progress that becomes valid when its watermark is durable.
  record Settled(InFlightPartition partition, long nextOffset, int records, long bytes) {}
}
