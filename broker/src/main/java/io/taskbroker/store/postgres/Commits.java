package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.postgres.PostgresOptions.Limits;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Writer of the batches of one broker epoch: commits each batch once, and only for owned
/// partitions (H6, H10). Confined to the committer thread, except [#size], [#lastKey],
/// [#lastCommitted], [#lastHandOut] and [#setBytesOfOthers].
final class Commits {
  /// Bits of the counter in a key; the bits above hold the broker epoch.
  static final int KEY_BITS = 40;

  /// Socket timeout of a commit, after which the connection counts as broken.
  private static final int SOCKET_SECONDS = 40;

  private final Server server;
  private final long epoch;
  private final OwnedPartitions ownedPartitions;
  private final Limits limits;
  private final RemoteReportTable reports;
  private final RewindHandler rewindHandler;
  private final FinishedLog finished;
  private volatile long lastKey;
  private volatile long bytesOfOthers;

  /// Null before the first commit, and after a failure with an unknown result.
  private @Nullable CommitSession session;

  private long lastAttempted = -1;
  private @Nullable List<ChangeOutcome> outcomes; // of lastAttempted; null while it fails
  private volatile long lastCommitted = -1; // acknowledged by the database
  private long previousCommitted = -1;
  private volatile long lastHandOut = -1;

  Commits(
      Server server,
      long epoch,
      OwnedPartitions ownedPartitions,
      Limits limits,
      RemoteReportTable reports,
      RewindHandler rewindHandler) {
    this.server = server;
    this.epoch = epoch;
    this.ownedPartitions = ownedPartitions;
    this.limits = limits;
    this.reports = reports;
    this.rewindHandler = rewindHandler;
    this.finished = new FinishedLog(epoch, limits.maxFinishedBytes());
    this.lastKey = epoch << KEY_BITS;
  }

  /// Callback for a database that lacks the last batch it acknowledged.
  interface RewindHandler {
    /// @param last the number of the missing batch
    /// @param next the number of the refused batch, which is committed afterwards
    void onRewind(long last, long next) throws SQLException;
  }

  long lastKey() {
    return lastKey;
  }

  /// Size of the rows of all brokers, as last reported.
  long size() {
    return ownedPartitions.bytes() + bytesOfOthers;
  }

  void setBytesOfOthers(long bytes) {
    bytesOfOthers = bytes;
  }

  /// Number of the last batch that the database acknowledged; -1 if it has none. Thread-safe.
  long lastCommitted() {
    return lastCommitted;
  }

  /// Number of the last batch that hands out an at-most-once task; -1 if there was none.
  /// Thread-safe.
  long lastHandOut() {
    return lastHandOut;
  }

  /// @return the outcomes; for a batch that was committed before, its original ones
  List<ChangeOutcome> commit(WriteBatch batch) {
    if (batch.number() < lastAttempted) {
      throw new IllegalArgumentException(
          "Batch " + batch.number() + " after batch " + lastAttempted);
    }
    List<ChangeOutcome> before = outcomes;
    if (batch.number() == lastAttempted && before != null) {
      return before;
    }
    lastAttempted = batch.number();
    outcomes = null;
    long newest = batch.newestKey();
    checkInsert(newest);
    List<ChangeOutcome> done = write(batch);
    lastKey = Math.max(lastKey, newest);
    finished.spaceLacks &= newest == Row.NONE;
    outcomes = done;
    return done;
  }

  void close() {
    CommitSession current = session;
    session = null;
    if (current != null) {
      current.close();
    }
  }

  private List<ChangeOutcome> write(WriteBatch batch) {
    while (true) {
      CommitPlan plan = CommitPlan.of(batch.changes(), ownedPartitions);
      if (plan.isEmpty()) {
        return plan.outcomes();
      }
      try {
        CommitSession current = session();
        plan.findReports(reports);
        try {
          current.commit(plan, batch.number(), lastCommitted, previousCommitted);
        } catch (SQLException e) {
          abort(current, e);
          if (PostgresErrors.isConstraint(e, "taskbroker_batch_owned_partitions")) {
            dropLostPartitions(plan);
            continue;
          }
          if (PostgresErrors.isConstraint(e, "taskbroker_batch_after_predecessor")) {
            rewindHandler.onRewind(lastCommitted, batch.number());
            lastCommitted = -1;
            previousCommitted = -1;
            continue;
          }
          // A previous attempt was committed, and its reply was lost.
          if (PostgresErrors.isConstraint(e, "taskbroker_batch_committed_once")) {
            plan.recordEarlierCommit(stored(plan.firedKeys()));
            finished.committed(plan);
          } else {
            throw e;
          }
        }
        reports.forget(plan.deletedWithReports);
        previousCommitted = lastCommitted;
        lastCommitted = batch.number();
        if (batch.changes().stream().anyMatch(Commits::handsOut)) {
          lastHandOut = lastCommitted;
        }
        return plan.outcomes();
      } catch (SQLException e) {
        StoreException error = PostgresErrors.translate(server.toString(), "commit a batch", e);
        finished.spaceLacks |= error.kind() == Kind.FULL;
        throw error;
      }
    }
  }

  private static boolean handsOut(Change change) {
    return change instanceof Change.UpdateStatus update && update.handsOut();
  }

  /// Checks that rows up to this key may be inserted.
  ///
  /// @throws StoreException of kind `FULL` if the size limit is exceeded, `FATAL` if the keys of
  ///   the epoch are exhausted
  private void checkInsert(long newest) {
    if (newest != Row.NONE && size() > limits.insertLimit()) {
      finished.spaceLacks = true;
      throw new StoreException(
          Kind.FULL,
          "The rows in %s exceed %d bytes, an eighth above store.max_size; the store refuses inserts until they shrink"
              .formatted(server, limits.insertLimit()),
          null);
    }
    if (newest >> KEY_BITS > epoch) {
      throw new StoreException(
          Kind.FATAL,
          "Broker epoch %d has no keys left; restart the broker".formatted(epoch),
          null);
    }
  }

  private CommitSession session() throws SQLException {
    CommitSession current = session;
    if (current == null) {
      current =
          new CommitSession(
              server.connect(MemberSlot.channel(epoch), SOCKET_SECONDS), epoch, finished);
      session = current;
    }
    return current;
  }

  private void abort(CommitSession failed, SQLException why) {
    try {
      if (!PostgresErrors.breaksConnection(why)) {
        failed.rollback();
        return;
      }
    } catch (SQLException e) {
      why.addSuppressed(e);
    }
    session = null;
    failed.close();
  }

  /// The keys among these that have a row of this broker without a partition. Nothing deletes the
  /// row of a slot before its commit is known.
  private Set<Long> stored(long[] keys) throws SQLException {
    Set<Long> stored = new HashSet<>();
    if (keys.length > 0) {
      try (Connection connection = server.connect(MemberSlot.channel(epoch), SOCKET_SECONDS);
          PreparedStatement statement = connection.prepareStatement(Sql.STORED)) {
        new Binder(statement).set(ownedPartitions.own().id()).set(keys);
        try (ResultSet result = statement.executeQuery()) {
          while (result.next()) {
            stored.add(result.getLong(1));
          }
        }
      }
    }
    return stored;
  }

  /// Drops the partitions that other brokers took; their changes are fenced on the next attempt.
  private void dropLostPartitions(CommitPlan plan) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    try (Connection connection = server.connect(MemberSlot.channel(epoch), SOCKET_SECONDS);
        PreparedStatement statement = connection.prepareStatement(Sql.OWNED)) {
      new Binder(statement).set(plan.partitionIds()).set(epoch);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          owned.add(result.getInt(1));
        }
      }
    }
    if (!owned.contains(ownedPartitions.own().id())) {
      // Rows without a partition are taken only by the holder of the member slot.
      boolean isWritten = plan.ownedPartitions.contains(ownedPartitions.own());
      if (isWritten) {
        throw new StoreException(
            Kind.FATAL, "Another broker holds the member slot of this broker in " + server, null);
      }
    }
    for (OwnedPartition ownedPartition : plan.ownedPartitions) {
      if (!owned.contains(ownedPartition.id())) {
        ownedPartitions.drop(ownedPartition);
      }
    }
  }
}
