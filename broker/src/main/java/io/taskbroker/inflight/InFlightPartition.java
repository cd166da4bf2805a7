package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One partition as the engine sees it: what is not accepted yet, and what waits for its offset to
/// be committed. Not thread-safe.
final class InFlightPartition {
  final SourcePartition partition;

  /// What Kafka brought, in order; the head may be accepted in part.
  final ArrayDeque<Batch> batches = new ArrayDeque<>();

  /// At-most-once rows that are durable, in the order of their offsets (H2).
  final ArrayDeque<AwaitingOffsetCommit> unproven = new ArrayDeque<>();

  /// The offset that was committed when the partition was assigned: what lies below may have been
  /// run by another broker.
  long assignedAt = Watermark.NONE;

  /// The offset that Kafka last acknowledged to us.
  long committed = Watermark.NONE;

  /// When it is counted again that the partition is held back, monotonic milliseconds.
  long deferredUntil = Long.MIN_VALUE;

  /// Watermarks that are not durable yet.
  int undurable;

  /// What is in flight of a partition that is given up, and has something under way.
  final List<InFlightTask> remaining = new ArrayList<>();

  /// How many times it was lost while the fate of its changes was not known.
  int barriers;

  boolean revoked;
  boolean draining;

  /// Whether somebody else may have had the partition since.
  boolean lost;

  InFlightPartition(SourcePartition partition) {
    this.partition = partition;
  }

  /// Records that came together, and how far they are accepted.
  static final class Batch {
    final Command.Ingest records;
    int next;

    /// How many of the accepted are behind a watermark, and their size.
    int marked;

    long markedBytes;

    private int judged = -1;
    private Rules judgedBy = Rules.NONE;
    private Rules.Decision verdict = Rules.Decision.Kept.AS_IT_IS;

    Batch(Command.Ingest records) {
      this.records = records;
    }

    /// What the rules say of the head, asked once however often it has to wait.
    Rules.Decision verdict(Rules rules, Activation head) {
      if (judged != next || !rules.equals(judgedBy)) {
        judged = next;
        judgedBy = rules;
        verdict = rules.judge(head);
      }
      return verdict;
    }

    Command.@Nullable IngestedRecord head() {
      return next < records.arrivals().size() ? records.arrivals().get(next) : null;
    }
  }

  /// A row that is not to be handed out before the offset behind it is committed.
  ///
  /// @param entry null if the row is parked
  record AwaitingOffsetCommit(long key, String id, Origin origin, @Nullable InFlightTask task) {
    long offset() {
      return origin.offset();
    }
  }

  /// What becomes true when a watermark is durable.
  record Settled(InFlightPartition partition, long nextOffset, int records, long bytes) {}
}
