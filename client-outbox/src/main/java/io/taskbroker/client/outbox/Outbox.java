package io.taskbroker.client.outbox;

import io.taskbroker.client.TaskCall;
import io.taskbroker.client.TaskClient;
import io.taskbroker.protocol.v1.NewTask;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.UUID;

/// Enqueues calls in transactions of the application: a call is enqueued if and only if the
/// transaction commits. An [OutboxRelay] sends it to the broker. The relay may send a call twice;
/// the broker recognises its id for an hour after its end, or as long as it is
/// [remembered][TaskCall#rememberFor]. Thread-safe.
///
/// ```java
/// connection.setAutoCommit(false);
/// insertOrder(connection, order);
/// outbox.enqueue(connection, SEND_RECEIPT.with(receipt));
/// connection.commit();
/// ```
public final class Outbox {
  private static final Duration REMEMBER = Duration.ofHours(1);

  private final TaskClient client;
  private final OutboxDatabase database;

  /// @param client encodes calls; it does not connect for that
  public Outbox(TaskClient client, OutboxDatabase database) {
    this.client = client;
    this.database = database;
  }

  /// Writes a call within the transaction of the connection. A delay counts from when the broker
  /// gets the call.
  ///
  /// @return the id, unless the call has a key
  /// @throws OutboxException if the database refuses it
  /// @throws io.taskbroker.client.TaskRejectedException if the argument cannot be encoded
  public String enqueue(Connection connection, TaskCall<?> call) {
    TaskCall<?> identified =
        call.id().isEmpty() && call.idempotencyKey().isEmpty()
            ? call.id(UUID.randomUUID().toString())
            : call;
    TaskCall<?> remembered =
        call.remember().isEmpty() ? identified.rememberFor(REMEMBER) : identified;
    NewTask encoded = client.encode(remembered);
    String insert = "INSERT INTO taskbroker_outbox (" + database.call() + ") VALUES (?)";
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      statement.setBytes(1, encoded.toByteArray());
      statement.executeUpdate();
      if (database == OutboxDatabase.POSTGRES) {
        wake(connection);
      }
    } catch (SQLException e) {
      throw new OutboxException("Could not write " + call + " to the outbox", e);
    }
    return encoded.getTask().getId();
  }

  /// Postgres sends it with the commit, once for the whole transaction.
  private static void wake(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("NOTIFY " + OutboxDatabase.CHANNEL);
    }
  }
}
