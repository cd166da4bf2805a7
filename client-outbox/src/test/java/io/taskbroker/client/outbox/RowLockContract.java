package io.taskbroker.client.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.client.testing.InlineBroker;
import java.sql.Connection;
import org.junit.jupiter.api.Test;

/// What also holds on databases with row locks.
abstract class RowLockContract extends OutboxContract {
  @Test
  void twoRelaysDoNotSendTwice() throws Exception {
    try (var broker = new InlineBroker();
        Connection leader = source.getConnection()) {
      buy(source, broker, "order");
      leader.setAutoCommit(false);
      try (var statement = leader.createStatement();
          var row = statement.executeQuery(database.lock())) {
        assertThat(row.next()).isTrue();
      }
      assertThat(OutboxRelay.sendAll(source, database, broker.client())).isZero();
      assertThat(broker.enqueuedCalls()).isZero();
      leader.rollback();
      assertThat(OutboxRelay.sendAll(source, database, broker.client())).isEqualTo(2);
    }
  }
}
