package io.taskbroker.client.outbox;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.client.BrokerFullException;
import io.taskbroker.client.TaskClient;
import io.taskbroker.client.TaskRejectedException;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RejectReason;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One transaction of the relay: locks, reads, sends, deletes, commits. If it breaks anywhere,
/// nothing is deleted, and the calls are sent again.
final class OutboxBatch {
  private static final Logger log = LoggerFactory.getLogger(OutboxBatch.class);
  static final int NOT_LEADER = -1;

  private static final int MAX_CALLS = 500;
  private static final int MAX_ERROR_CHARS = 1_000;

  private final DataSource source;
  private final OutboxDatabase database;
  private final TaskClient client;

  OutboxBatch(DataSource source, OutboxDatabase database, TaskClient client) {
    this.source = source;
    this.database = database;
    this.client = client;
  }

  /// @param error why it can never be sent; null if it was, or failed for now
  private record Sent(long position, boolean done, @Nullable String error) {}

  private record Row(long position, ByteString call) {}

  /// Sends what waits, up to a batch.
  ///
  /// @return how many calls were dealt with; 0 if there is none; [#NOT_LEADER] if another relay has
  ///   the lock
  /// @throws io.taskbroker.client.BrokerFullException if the broker has no room for any of them
  int run() throws SQLException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try {
        int done = hasLock(connection) ? send(connection) : NOT_LEADER;
        connection.commit();
        return done;
      } catch (SQLException | RuntimeException e) {
        rollBack(connection, e);
        throw e;
      }
    }
  }

  private static void rollBack(Connection connection, Exception cause) {
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private boolean hasLock(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(database.lock())) {
      return row.next();
    }
  }

  private int send(Connection connection) throws SQLException {
    List<Row> rows = read(connection);
    if (rows.isEmpty()) {
      return 0;
    }
    List<CompletableFuture<Sent>> answers = new ArrayList<>(rows.size());
    for (Row row : rows) {
      answers.add(send(row));
    }
    List<Sent> all = new ArrayList<>(answers.size());
    RuntimeException failure = null;
    for (CompletableFuture<Sent> each : answers) {
      try {
        all.add(each.join());
      } catch (CompletionException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null && all.isEmpty()) {
      throw failure;
    }
    int done = record(connection, all);
    if (done == 0) {
      throw new BrokerFullException(
          "The broker has no room for " + rows.size() + " calls of the outbox");
    }
    return done;
  }

  private List<Row> read(Connection connection) throws SQLException {
    String select =
        "SELECT position, "
            + database.call()
            + " FROM taskbroker_outbox WHERE error IS NULL ORDER BY position LIMIT "
            + MAX_CALLS;
    List<Row> rows = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(select)) {
      while (result.next()) {
        rows.add(new Row(result.getLong(1), ByteString.copyFrom(result.getBytes(2))));
      }
    }
    return rows;
  }

  private CompletableFuture<Sent> send(Row row) {
    NewTask call;
    try {
      call = NewTask.parseFrom(row.call);
    } catch (InvalidProtocolBufferException e) {
      return CompletableFuture.completedFuture(
          new Sent(row.position, false, "Not a call: " + e.getMessage()));
    }
    return client
        .transport()
        .enqueue(call, true)
        .thenApply(answer -> sent(row, call, answer))
        .exceptionally(error -> refused(row, call, error));
  }

  private static Sent sent(Row row, NewTask call, TaskTransport.Enqueued answer) {
    EnqueueResult result = answer.result();
    boolean done = result.getStatus() != EnqueueStatus.ENQUEUE_STATUS_REJECTED;
    boolean forNow = result.getReason() == RejectReason.REJECT_REASON_FULL;
    if (!done && !forNow) {
      log.error(
          "The broker refuses task {} ({}) of the outbox: {}. Its row stays, with the error",
          call.getTask().getId(),
          call.getTask().getName(),
          result.getMessage());
    }
    return new Sent(row.position, done, done || forNow ? null : result.getMessage());
  }

  private static Sent refused(Row row, NewTask call, Throwable error) {
    Throwable cause = error instanceof CompletionException wrapped ? wrapped.getCause() : error;
    if (cause instanceof TaskRejectedException rejected
        && rejected.reason() == TaskRejectedException.Reason.INVALID) {
      log.error("Could not send task {} of the outbox", call.getTask().getId(), rejected);
      return new Sent(row.position, false, String.valueOf(rejected.getMessage()));
    }
    throw error instanceof CompletionException wrapped ? wrapped : new CompletionException(error);
  }

  private static int record(Connection connection, List<Sent> all) throws SQLException {
    int count = 0;
    try (PreparedStatement delete =
            connection.prepareStatement("DELETE FROM taskbroker_outbox WHERE position = ?");
        PreparedStatement mark =
            connection.prepareStatement(
                "UPDATE taskbroker_outbox SET error = ? WHERE position = ?")) {
      for (Sent each : all) {
        if (each.done) {
          delete.setLong(1, each.position);
          delete.addBatch();
          count++;
        } else if (each.error != null) {
          String error = each.error;
          mark.setString(1, error.substring(0, Math.min(error.length(), MAX_ERROR_CHARS)));
          mark.setLong(2, each.position);
          mark.addBatch();
          count++;
        }
      }
      delete.executeBatch();
      mark.executeBatch();
    }
    return count;
  }
}
