package io.taskbroker.client.outbox;

import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/// What also holds on databases that are servers: their end of a connection may go.
abstract class ServerContract extends RowLockContract {
  /// Lets the server end the connection; the client goes on until its next statement fails.
  abstract void end(Connection connection) throws SQLException;

  @Test
  void whereverTheConnectionOfTheApplicationEndsTheCallsAreEnqueuedExactlyIfItCommitted()
      throws Exception {
    letTheApplicationDie(this::end);
  }

  @Test
  void whereverTheConnectionOfTheRelayEndsEachCallIsEnqueuedOnce() throws Exception {
    letTheRelayDie(this::end);
  }
}
