package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.updateStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.Ownership.Taken;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Two brokers; one still believes that it owns a partition which the other took.
@Timeout(240)
final class H10FencingTest {
  private final Database database = PostgresServer.shared().newDatabase();
  private PostgresStore former;
  private PostgresStore taker;

  @BeforeEach
  void open() {
    PostgresOptions options =
        PostgresSetup.options(database, Duration.ofSeconds(2), PostgresSetup.LONG);
    former = PostgresStore.open(options);
    taker = PostgresStore.open(options);
    former.take(partition(0), 1);
    former.take(partition(1), 1);
    former.commit(
        new WriteBatch(
            1,
            List.of(
                insert(1, 0),
                insert(2, 1),
                new Change.AdvanceWatermark(partition(0), 10, null),
                new Change.OffsetCommitted(partition(0), 9, null))));
  }

  @AfterEach
  void close() {
    former.close();
    taker.close();
  }

  @Test
  void h10WhoLostAPartitionCannotWriteForIt() {
    assertThat(taker.take(partition(0), 2).map(Taken::watermarks))
        .hasValue(List.of(new Watermark(partition(0), 10, 9)));
    assertThat(taker.load(partition(0), 0, 10)).extracting(Row::key).containsExactly(1L);
    List<Change> changes =
        List.of(
            updateStatus(1, 0, Status.PROCESSING),
            insert(3, 0),
            delete(1, 0),
            new Change.AdvanceWatermark(partition(0), 99, null),
            insert(4, 1),
            updateStatus(2, 1, Status.PROCESSING));
    assertThat(former.commit(new WriteBatch(2, changes)))
        .containsExactly(
            ChangeOutcome.FENCED,
            ChangeOutcome.FENCED,
            ChangeOutcome.FENCED,
            ChangeOutcome.FENCED,
            ChangeOutcome.APPLIED,
            ChangeOutcome.APPLIED);
    assertThat(taker.load(partition(0), 0, 10))
        .extracting(Row::key, Row::status)
        .containsExactly(tuple(1L, Status.PENDING));
    assertThat(taker.watermarks()).containsExactly(new Watermark(partition(0), 10, 9));
    assertThat(former.load(0, 10)).extracting(Row::key).containsExactly(2L, 4L);
    assertThat(former.commit(new WriteBatch(3, List.of(delete(1, 0)))))
        .containsExactly(ChangeOutcome.FENCED);
  }

  @Test
  void h10TakeWaitsForAPendingCommitAndSeesIt() throws Exception {
    CompletableFuture<List<ChangeOutcome>> commit;
    CompletableFuture<Taken> take;
    try (ConnectionGate gate = new ConnectionGate(database, 1)) {
      commit =
          ConnectionGate.meanwhile(() ->
              former.commit(
                  new WriteBatch(
                      2,
                      List.of(
                          updateStatus(1, 0, Status.PROCESSING),
                          new Change.AdvanceWatermark(partition(0), 20, null)))));
      gate.awaitCommit();
      take = ConnectionGate.meanwhile(() -> taker.take(partition(0), 2).orElseThrow());
      gate.awaitTake();
      assertThat(take).isNotDone();
    }
    assertThat(commit.join()).containsOnly(ChangeOutcome.APPLIED);
    assertThat(take.join().watermarks()).isEqualTo(List.of(new Watermark(partition(0), 20, 9)));
    assertThat(taker.load(partition(0), 0, 10))
        .extracting(Row::status)
        .containsExactly(Status.PROCESSING);
  }

  @Test
  void h10TakeRollsBackACommitThatDoesNotEnd() throws Exception {
    WriteBatch batch =
        new WriteBatch(2, List.of(updateStatus(1, 0, Status.PROCESSING), insert(3, 1)));
    try (ConnectionGate gate = new ConnectionGate(database, 1)) {
      var commit = ConnectionGate.meanwhile(() -> former.commit(batch));
      gate.awaitCommit();
      assertThat(taker.take(partition(0), 2)).isPresent();
      assertThat(commit)
          .failsWithin(Duration.ofSeconds(20))
          .withThrowableThat()
          .withRootCauseInstanceOf(SQLException.class);
    }
    assertThat(former.commit(batch)).containsExactly(ChangeOutcome.FENCED, ChangeOutcome.APPLIED);
    assertThat(taker.load(partition(0), 0, 10))
        .extracting(Row::status)
        .containsExactly(Status.PENDING);
  }

  @Test
  void h17ReleasedPartitionIsTakenWithAllItsRows() {
    former.commit(new WriteBatch(2, List.of(updateStatus(1, 0, Status.PROCESSING))));
    former.release(partition(0), true);
    assertThat(former.commit(new WriteBatch(3, List.of(delete(1, 0)))))
        .containsExactly(ChangeOutcome.FENCED);
    assertThat(taker.take(partition(0), 1)).isPresent();
    assertThat(taker.load(partition(0), 0, 10))
        .extracting(Row::status)
        .containsExactly(Status.PROCESSING);
    former.release(partition(0), true); // no effect: it is no longer the owner
    assertThat(taker.commit(new WriteBatch(1, List.of(delete(1, 0)))))
        .containsExactly(ChangeOutcome.APPLIED);
  }

  @Test
  void h10FormerOwnerThatTakesThePartitionBackWritesAgain() {
    taker.take(partition(0), 2);
    taker.commit(new WriteBatch(1, List.of(new Change.AdvanceWatermark(partition(0), 30, null))));
    former.take(partition(0), 3);
    assertThat(
            former.commit(
                new WriteBatch(
                    2, List.of(delete(1, 0), new Change.AdvanceWatermark(partition(0), 40, null)))))
        .containsOnly(ChangeOutcome.APPLIED);
    assertThat(former.watermarks()).containsExactly(new Watermark(partition(0), 40, 9));
    assertThat(
            taker.commit(
                new WriteBatch(2, List.of(new Change.AdvanceWatermark(partition(0), 31, null)))))
        .containsExactly(ChangeOutcome.FENCED);
  }

  @Test
  void h23BrokerThatLostItsMemberSlotFails() {
    long own = former.lastKey() + 1;
    former.commit(new WriteBatch(2, List.of(insert(own, -1))));
    // As the next holder of the member slot does.
    database.execute("UPDATE taskbroker_owned_partition SET epoch = 77 WHERE partition = -1");
    assertThatThrownBy(() -> former.commit(new WriteBatch(3, List.of(delete(own, -1)))))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FATAL));
  }
}
