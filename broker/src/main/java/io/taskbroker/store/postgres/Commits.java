package io.taskbroker.store.postgres;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.ActivationStore.Outcome;
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

/// Commits the batches of one run, each once, and only what is the broker's own (H6, H10). Confined
/// to the committer's thread, apart from [#size], [#lastKey], [#last], [#handedOut] and
/// [#othersHave].
final class Commits {
  /// The keys of a run are its number, shifted by so much, and a count.
  static final int KEY_BITS = 40;

  /// How long the server may take for a commit before the connection counts as lost.
  private static final int SOCKET_SECONDS = 40;

  private final Server server;
  private final long run;
  private final OwnedPartitions places;
  private final Limits limits;
  private final RemoteReportTable reports;
  private final WentBack wentBack;
  private volatile long lastKey;
  private volatile long bytesOfOthers;

  /// Null until it is needed, and after a failure that left it in an unknown state.
  private @Nullable CommitSession session;

  private long tried = -1;
  private @Nullable List<Outcome> outcomes; // of what was tried, null while it failed
  private volatile long last = -1; // that is known to be committed
  private long beforeLast = -1;
  private volatile long handedOut = -1;

  Commits(
      Server server,
      long run,
      OwnedPartitions places,
      Limits limits,
      RemoteReportTable reports,
      WentBack wentBack) {
    this.server = server;
    this.run = run;
    this.places = places;
    this.limits = limits;
    this.reports = reports;
    this.wentBack = wentBack;
    this.lastKey = run << KEY_BITS;
  }

  /// What is to be done when the database does not have the last batch that it acknowledged.
  interface WentBack {
    /// @param last the number of the batch that is gone
    /// @param next the number of the batch that was refused, and is committed behind this
    void happened(long last, long next) throws SQLException;
  }

  long lastKey() {
    return lastKey;
  }

  /// The size of all rows of all brokers, as far as it is known.
  long size() {
    return places.bytes() + bytesOfOthers;
  }

  void othersHave(long bytes) {
    bytesOfOthers = bytes;
  }

  /// The number of the last batch that the database acknowledged; -1 if it has none. Thread-safe.
  long last() {
    return last;
  }

  /// The number of the last batch that hands out something that may run only once; -1 if there was
  /// none. Thread-safe.
  long handedOut() {
    return handedOut;
  }

  /// @return of a batch that was committed before, the outcomes that it had then
  List<Outcome> commit(WriteBatch batch) {
    if (batch.number() < tried) {
      throw new IllegalArgumentException("Batch " + batch.number() + " after batch " + tried);
    }
    List<Outcome> before = outcomes;
    if (batch.number() == tried && before != null) {
      return before;
    }
    tried = batch.number();
    outcomes = null;
    long newest = batch.newestKey();
    checkKey(newest);
    List<Outcome> done = write(batch);
    lastKey = Math.max(lastKey, newest);
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

  private List<Outcome> write(WriteBatch batch) {
    while (true) {
      CommitPlan plan = CommitPlan.of(batch.changes(), places);
      if (plan.isEmpty()) {
        return plan.outcomes();
      }
      try {
        CommitSession current = session();
        long[] reported = plan.reported(reports);
        try {
          current.commit(plan, batch.number(), last, beforeLast, reported);
        } catch (SQLException e) {
          end(current, e);
          if (PostgresErrors.isOf(e, "taskbroker_batch_of_owned_places")) {
            forgetLost(plan);
            continue;
          }
          if (PostgresErrors.isOf(e, "taskbroker_batch_after_predecessor")) {
            wentBack.happened(last, batch.number());
            last = -1;
            beforeLast = -1;
            continue;
          }
          // An attempt before was committed, and its reply was lost.
          if (PostgresErrors.isOf(e, "taskbroker_batch_once")) {
            plan.committedBefore();
          } else {
            throw e;
          }
        }
        reports.ended(reported);
        beforeLast = last;
        last = batch.number();
        if (batch.changes().stream().anyMatch(Commits::handsOut)) {
          handedOut = last;
        }
        return plan.outcomes();
      } catch (SQLException e) {
        throw PostgresErrors.translate(server.toString(), "commit a batch", e);
      }
    }
  }

  private static boolean handsOut(Change change) {
    return change instanceof Change.UpdateStatus mark && mark.handsOut();
  }

  /// Whether rows up to this key may be inserted.
  ///
  /// @throws StoreException of kind `FULL` if there is to be no insert, `FATAL` if keys are used up
  private void checkKey(long newest) {
    if (newest != Row.NONE && size() > limits.insertLimit()) {
      throw new StoreException(
          Kind.FULL,
          "The rows in %s have more than %d bytes, an eighth above store.max_size; it takes nothing in until there are fewer"
              .formatted(server, limits.insertLimit()),
          null);
    }
    if (newest >> KEY_BITS > run) {
      throw new StoreException(
          Kind.FATAL, "The run %d has no keys left; start the broker again".formatted(run), null);
    }
  }

  private CommitSession session() throws SQLException {
    CommitSession current = session;
    if (current == null) {
      current = new CommitSession(server.connect(MemberSlot.channel(run), SOCKET_SECONDS), run);
      session = current;
    }
    return current;
  }

  private void end(CommitSession failed, SQLException why) {
    try {
      if (!PostgresErrors.endsConnection(why)) {
        failed.rollback();
        return;
      }
    } catch (SQLException e) {
      why.addSuppressed(e);
    }
    session = null;
    failed.close();
  }

  /// Other brokers took some of the places: what is still to be committed for them is not.
  private void forgetLost(CommitPlan plan) throws SQLException {
    Set<Integer> owned = new HashSet<>();
    try (Connection connection = server.connect(MemberSlot.channel(run), SOCKET_SECONDS);
        PreparedStatement statement = connection.prepareStatement(Sql.OWNED)) {
      new Binder(statement).set(plan.slots()).set(run);
      try (ResultSet result = statement.executeQuery()) {
        while (result.next()) {
          owned.add(result.getInt(1));
        }
      }
    }
    if (!owned.contains(places.own().slot())) {
      // Only whoever has the seat takes what came from no partition.
      boolean mine = plan.places.contains(places.own());
      if (mine) {
        throw new StoreException(
            Kind.FATAL, "Another broker has the seat of this one in " + server, null);
      }
    }
    for (OwnedPartition place : plan.places) {
      if (!owned.contains(place.slot())) {
        places.lost(place);
      }
    }
  }
}
