package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static io.taskbroker.store.postgres.PostgresSetup.updateStatus;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Commits with an unknown result.
@Timeout(240)
final class H06GhostCommitTest {
  private final Database database = PostgresServer.shared().newDatabase();
  private Proxy proxy;
  private PostgresStore store;

  @BeforeEach
  void open() throws Exception {
    proxy = new Proxy(database.port());
    store =
        PostgresStore.open(
            PostgresSetup.by(PostgresSetup.options(database), database, proxy.port()));
    store.take(partition(0), 1);
    store.commit(new WriteBatch(1, List.of(insert(1, 0), insert(2, 0))));
  }

  @AfterEach
  void close() throws Exception {
    store.close();
    proxy.close();
  }

  @Test
  void h06CommitWithALostReplyIsAppliedOnce() {
    WriteBatch batch =
        new WriteBatch(
            2,
            List.of(
                insert(3, 0), delete(1, 0), new Change.AdvanceWatermark(partition(0), 50, null)));
    proxy.dropReplies();
    assertThatThrownBy(() -> store.commit(batch))
        .isInstanceOfSatisfying(
            StoreException.class,
            e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.TRANSIENT));
    proxy.passReplies();
    assertThat(store.commit(batch)).containsOnly(ChangeOutcome.APPLIED).hasSize(3);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(2L, 3L);
    // The versions of the watermark continue from the commit with the lost reply.
    store.commit(new WriteBatch(3, List.of(new Change.AdvanceWatermark(partition(0), 60, null))));
    assertThat(store.watermarks()).singleElement().extracting("next").isEqualTo(60L);
    assertThat(query(database, "SELECT count(*) FROM taskbroker_watermark")).isEqualTo("1");
  }

  @Test
  void h06CommitWithATerminatedBackendIsAppliedByTheRetry() throws Exception {
    WriteBatch batch =
        new WriteBatch(
            2, List.of(insert(3, 0), updateStatus(1, 0, Status.PROCESSING), delete(2, 0)));
    try (ConnectionGate gate = new ConnectionGate(database, 1)) {
      var commit = ConnectionGate.meanwhile(() -> store.commit(batch));
      gate.awaitCommit();
      database.execute(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
              + " WHERE datname = current_database() AND wait_event = 'transactionid'");
      assertThat(commit).failsWithin(Duration.ofSeconds(20));
      assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(1L, 2L);
    }
    assertThat(store.commit(batch)).containsOnly(ChangeOutcome.APPLIED);
    assertThat(store.load(0, 10))
        .extracting(Row::key, Row::status)
        .containsExactly(tuple(1L, Status.PROCESSING), tuple(3L, Status.PENDING));
  }

  @Test
  void h06RetryWaitsForAPendingAttempt() throws Exception {
    WriteBatch batch =
        new WriteBatch(
            2, List.of(updateStatus(1, 0, Status.PROCESSING), insert(3, 0), delete(2, 0)));
    Commits ghost = secondWriter();
    try (ConnectionGate gate = new ConnectionGate(database, 1)) {
      var first = ConnectionGate.meanwhile(() -> ghost.commit(batch));
      gate.awaitCommit();
      var again = ConnectionGate.meanwhile(() -> store.commit(batch));
      assertThat(again).isNotDone();
      gate.open();
      assertThat(first.join()).containsOnly(ChangeOutcome.APPLIED);
      assertThat(again.join()).containsOnly(ChangeOutcome.APPLIED);
    } finally {
      ghost.close();
    }
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(1L, 3L);
  }

  @Test
  void h06AttemptBehindItsSuccessorsIsRefused() {
    WriteBatch late = new WriteBatch(2, List.of(insert(3, 0)));
    store.commit(late);
    for (int number = 3; number <= 6; number++) {
      store.commit(new WriteBatch(number, List.of(delete(number, 0))));
      Commits ghost = secondWriter();
      try {
        List<ChangeOutcome> outcomes = ghost.commit(late);
        assertThat(outcomes).as("recognized as committed").containsOnly(ChangeOutcome.APPLIED);
      } catch (StoreException e) {
        assertThat(e).hasMessageContaining("taskbroker_batch_in_order");
      } finally {
        ghost.close();
      }
      assertThat(store.load(0, 10)).extracting(Row::key).doesNotContain(3L);
    }
    assertThat(query(database, "SELECT count(*) FROM taskbroker_batch")).isEqualTo("2");
  }

  /// A second writer of the same epoch, which sends the batches of the store again.
  private Commits secondWriter() {
    long epoch = store.lastKey() >> Commits.KEY_BITS;
    PostgresOptions options = PostgresSetup.options(database);
    OwnedPartitions ownedPartitions = new OwnedPartitions(new OwnedPartition(-1));
    ownedPartitions.put(
        new OwnedPartition.Name("topic", 0),
        new OwnedPartition(
            Integer.parseInt(
                query(
                    database,
                    "SELECT partition_id FROM taskbroker_owned_partition"
                        + " WHERE topic = 'topic'"))));
    return new Commits(
        new Server(options.address(), options.login(), 60_000),
        epoch,
        ownedPartitions,
        options.limits(),
        new RemoteReportTable(),
        (_, _) -> {});
  }
}
