package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// One partition as the engine sees it: what is not accepted yet, and what waits for its offset to
/// be committed. Not thread-safe.
final class InFlightPartition {
  final SourcePartition partition;

  /// What Kafka brought, in order; the head may be accepted in part.
  final ArrayDeque<Batch> batches = new ArrayDeque<>();

  /// At-most-once rows that are durable, in the order of their offsets (H2): they come in that
  /// order, unless reading goes back.
  final PriorityQueue<AwaitingOffsetCommit> unproven =
      new PriorityQueue<>(Comparator.comparingLong(AwaitingOffsetCommit::offset));

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

  /// The application at its limit that the partition stands for, as the reader knows it.
  @Nullable String standing;

  /// How often what waits changes from one application to another, from the one that was met last
  /// at the head on: above 0, another one waits behind the head.
  private int changes;

  private @Nullable String head;
  private @Nullable String tail;

  boolean revoked;
  boolean draining;

  /// Whether somebody else may have had the partition since.
  boolean lost;

  InFlightPartition(SourcePartition partition) {
    this.partition = partition;
  }

  /// A record of the application came, behind those that wait.
  void came(String application) {
    if (tail == null) {
      head = application;
    } else if (!tail.equals(application)) {
      changes++;
    }
    tail = application;
  }

  /// A record of the application is, or was, at the head.
  void passed(String application) {
    if (!application.equals(head)) {
      changes--;
      head = application;
    }
  }

  /// Whether something waits behind the head that is of another application than the head's.
  boolean hasOtherThan(String application) {
    passed(application);
    return changes > 0;
  }

  /// Nothing waits any more.
  void clear() {
    batches.clear();
    standing = null;
    changes = 0;
    head = null;
    tail = null;
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
  /// @param task null if the row is parked
  record AwaitingOffsetCommit(long key, String id, Origin origin, @Nullable InFlightTask task) {
    long offset() {
      return origin.offset();
    }
  }

  /// What becomes true when a watermark is durable.
  record Settled(InFlightPartition partition, long nextOffset, int records, long bytes) {}
}
