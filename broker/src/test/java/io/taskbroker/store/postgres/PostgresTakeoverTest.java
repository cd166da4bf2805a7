package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import io.taskbroker.testkit.ReferencePostgres;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Conversion of a database that the reference filled into a store.
@Timeout(240)
final class PostgresTakeoverTest {
  private static final String INSERT =
      """
      INSERT INTO inflight_taskactivations (id, activation, topic, partition, kafka_offset, \
      added_at, received_at, processing_attempts, expires_at, delay_until, \
      processing_deadline_duration, processing_deadline, claim_expires_at, status, at_most_once, \
      application, namespace, taskname, on_attempts_exceeded, bucket)
      VALUES (?, ?, ?, ?, 40, to_timestamp(?), to_timestamp(99.5), 2, to_timestamp(300), \
      to_timestamp(200), 30, to_timestamp(400), to_timestamp(500), ?, TRUE, 'app', 'ns', 'task', \
      2, 7)
      """;

  private final Database database = PostgresServer.shared().newDatabase();
  private final PostgresOptions options =
      PostgresSetup.options(database, PostgresSetup.LONG, Duration.ofMillis(200));

  @BeforeEach
  void makeTable() {
    database.execute(ReferencePostgres.statements());
  }

  @Test
  void rowsOfEveryStatusAreTakenOverInTheOrderOfTheirArrival() throws Exception {
    List<Status> statuses = List.of(Status.values());
    for (int i = 0; i < statuses.size(); i++) {
      // In reverse order of `added_at`.
      reference("id-" + i, statuses.get(i).storedName(), "topic", 0, 1_000 - i, false);
    }
    try (PostgresStore store = PostgresStore.open(options)) {
      assertThat(store.load(0, 100)).as("owns no partition yet").isEmpty();
      store.take(PostgresSetup.partition(0), 1);
      List<Row> rows = store.load(0, 100);
      List<Status> reversed = new ArrayList<>(statuses).reversed();
      assertThat(rows).extracting(Row::status).containsExactlyElementsOf(reversed);
      assertThat(rows).extracting(Row::key).isSorted().doesNotHaveDuplicates();
      assertThat(store.lastKey()).isGreaterThan(rows.getLast().key());
      Row row = rows.getLast();
      Activation activation = row.activation();
      assertThat(
              tuple(
                  activation.id(),
                  activation.application(),
                  activation.namespace(),
                  activation.taskname(),
                  activation.origin().offset(),
                  activation.receivedAt(),
                  activation.expiresAt(),
                  activation.delayUntil(),
                  activation.deadlineSeconds(),
                  activation.failurePolicy(),
                  activation.atMostOnce(),
                  activation.derived()))
          .isEqualTo(
              tuple(
                  "id-0",
                  "app",
                  "ns",
                  "task",
                  40L,
                  99_500L,
                  300_000L,
                  200_000L,
                  30,
                  FailurePolicy.DEAD_LETTER,
                  true,
                  false));
      assertThat(
              tuple(
                  row.addedAt(),
                  row.attempts(),
                  row.claimExpiresAt(),
                  row.processingDeadline(),
                  row.committed(),
                  row.forwardTo()))
          .isEqualTo(tuple(1_000_000L, 2, 500_000L, 400_000L, true, null));
    }
    assertThat(query(database, "SELECT count(*) FROM _sqlx_migrations")).isEqualTo("1");
  }

  @Test
  void h08RetryIsRecognizedByItsPayload() throws Exception {
    reference("first", "Pending", "topic", 0, 1, false);
    reference("retried", "Pending", "topic", 0, 2, true);
    try (PostgresStore store = PostgresStore.open(options)) {
      store.take(PostgresSetup.partition(0), 1);
      assertThat(store.load(0, 10))
          .extracting(row -> row.activation().derived())
          .containsExactly(false, true);
    }
  }

  @Test
  void rowsWithoutATopicAreAdopted() throws Exception {
    reference("old", "Pending", "", 2, 1, false);
    try (PostgresStore store = PostgresStore.open(options)) {
      List<SourcePartition> adopted = new ArrayList<>();
      await()
          .until(() -> {
            adopted.addAll(store.adopt(10).partitions());
            return !adopted.isEmpty();
          });
      List<Row> rows = store.load(adopted.getFirst(), 0, 10);
      assertThat(rows).extracting(row -> row.activation().id()).containsExactly("old");
      Row row = rows.getFirst();
      store.commit(
          new WriteBatch(
              1,
              List.of(
                  new Change.Delete(row.key(), "old", row.activation().origin(), Row.NONE, null))));
    }
    assertThat(query(database, "SELECT count(*) FROM inflight_taskactivations")).isEqualTo("0");
  }

  @Test
  void unknownStatusIsReportedAndTheTableStaysUnchanged() throws Exception {
    reference("fine", "Pending", "topic", 0, 1, false);
    reference("odd", "Sleeping", "topic", 0, 2, false);
    assertThatThrownBy(() -> PostgresStore.open(options))
        .hasMessageContainingAll("odd", "Sleeping", "correct or delete");
    assertThat(query(database, "SELECT max(id) FROM inflight_taskactivations WHERE bucket = 7"))
        .isEqualTo("odd");
    database.execute("DELETE FROM inflight_taskactivations WHERE id = 'odd'");
    PostgresStore.open(options).close();
  }

  @Test
  void whoCouldReadTheTableOfTheReferenceCanReadTheView() throws Exception {
    String reader = "reader_" + database.name();
    database.execute(
        "CREATE USER " + reader + " PASSWORD 'secret'",
        "GRANT SELECT ON inflight_taskactivations TO " + reader);
    reference("one", "Delay", "topic", 0, 1, false);
    PostgresStore.open(options).close();
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("SET ROLE " + reader);
      try (ResultSet rows = statement.executeQuery("SELECT status FROM inflight_taskactivations")) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getString(1)).as("the delay has ended").isEqualTo("Pending");
      }
    }
  }

  @Test
  void viewHasTheColumnsOfTheReference() {
    try (PostgresStore store = PostgresStore.open(options)) {
      store.take(PostgresSetup.partition(0), 1);
      store.commit(new WriteBatch(1, List.of(PostgresSetup.insert(1, 0))));
    }
    assertThat(
            query(
                database,
                """
                SELECT concat_ws('|', id, encode(activation, 'hex'), topic, partition, kafka_offset,
                  extract(epoch FROM added_at)::numeric(20, 3),
                  extract(epoch FROM received_at)::numeric(20, 3), processing_attempts,
                  coalesce(expires_at::text, '-'), coalesce(delay_until::text, '-'),
                  processing_deadline_duration, coalesce(processing_deadline::text, '-'),
                  coalesce(claim_expires_at::text, '-'), status, at_most_once, application,
                  namespace, taskname, on_attempts_exceeded, bucket)
                FROM inflight_taskactivations
                """))
        .isEqualTo(
            "id-1|010203|topic|0|7|1700000000.123|1700000000.123|0|-|-|30|-|-|Pending|f|app|namespace|task|1|0");
  }

  private void reference(
      String id, String status, String topic, int partition, int addedAt, boolean retried)
      throws Exception {
    TaskActivation.Builder activation = TaskActivation.newBuilder().setId(id);
    if (retried) {
      activation.setRetryState(RetryState.newBuilder().setAttempts(1));
    }
    try (Connection connection = database.connect();
        PreparedStatement insert = connection.prepareStatement(INSERT)) {
      insert.setString(1, id);
      insert.setBytes(2, activation.build().toByteArray());
      insert.setString(3, topic);
      insert.setInt(4, partition);
      insert.setInt(5, addedAt);
      insert.setString(6, status);
      insert.executeUpdate();
    }
  }
}
