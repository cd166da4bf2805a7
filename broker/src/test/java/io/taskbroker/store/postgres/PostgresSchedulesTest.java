package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ScheduleStoreContract;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class PostgresSchedulesTest extends ScheduleStoreContract {
  private final Database database = PostgresServer.shared().newDatabase();

  @Override
  protected ActivationStore open() {
    return PostgresStore.open(PostgresSetup.options(database));
  }

  @Test
  void ofTwoBrokersOneFiresASlot() {
    schedules().create(row("s", 1, 1_000));
    try (PostgresStore other = PostgresStore.open(PostgresSetup.options(database))) {
      assertThat(commit(fire(store().lastKey() + 1, "s", 1, 2_000)))
          .containsExactly(ChangeOutcome.APPLIED);
      assertThat(other.commit(new WriteBatch(1, List.of(fire(other.lastKey() + 1, "s", 1, 2_000)))))
          .containsExactly(ChangeOutcome.SUPERSEDED);
      assertThat(other.commit(new WriteBatch(2, List.of(fire(other.lastKey() + 2, "s", 2, 3_000)))))
          .containsExactly(ChangeOutcome.APPLIED);
    }
    assertThat(PostgresSetup.query(database, "SELECT count(*) FROM taskbroker_activation"))
        .isEqualTo("2");
  }

  @Test
  void aNameThatPostgresCannotHoldIsNoOutage() {
    assertThatThrownBy(() -> schedules().find("a\0b"))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.DATA));
  }

  /// A commit never waits for another broker that is changing the schedule: it has lost the slot.
  @Test
  void aScheduleThatIsBeingChangedIsNotWaitedFor() throws Exception {
    schedules().create(row("s", 1, 1_000));
    schedules().create(row("t", 1, 1_000));
    long key = store().lastKey();
    try (Connection other = database.connect();
        Statement statement = other.createStatement()) {
      other.setAutoCommit(false);
      statement.execute("SELECT FROM taskbroker_schedule WHERE name = 's' FOR UPDATE");
      assertThat(commit(fire(key + 1, "s", 1, 2_000), fire(key + 2, "t", 1, 2_000)))
          .containsExactly(ChangeOutcome.SUPERSEDED, ChangeOutcome.APPLIED);
      other.rollback();
    }
    assertThat(commit(fire(key + 3, "s", 1, 2_000))).containsExactly(ChangeOutcome.APPLIED);
  }
}
