package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// View of outside readers while the broker runs (reference-spec 4.2).
final class SqliteViewTest {
  private static final String VIEW = " FROM inflight_taskactivations";

  @TempDir private Path folder;
  private SqliteStore store;
  private Outsider outsider;
  private long batch;

  @BeforeEach
  void open() throws SQLException {
    store = SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
    outsider = new Outsider(folder.resolve("store.sqlite"));
  }

  @AfterEach
  void close() throws SQLException {
    outsider.close();
    store.close();
  }

  @Test
  void hasTheColumnsOfTheReference() throws SQLException {
    assertThat(outsider.rows("SELECT name FROM pragma_table_info('inflight_taskactivations')"))
        .containsExactlyInAnyOrder(
            "id",
            "activation",
            "partition",
            "offset",
            "added_at",
            "received_at",
            "processing_attempts",
            "expires_at",
            "delay_until",
            "processing_deadline_duration",
            "processing_deadline",
            "claim_expires_at",
            "status",
            "at_most_once",
            "application",
            "namespace",
            "taskname",
            "on_attempts_exceeded",
            "bucket");
  }

  @Test
  void viewShowsARowAsTheReferenceStoresIt() throws SQLException {
    Activation activation =
        new Activation(
            "00000000-0000-0000-0000-00000000003f",
            "app",
            "namespace",
            "task",
            new byte[] {(byte) 0xCA, (byte) 0xFE},
            new Origin("topic", 3, 42),
            5_999,
            9_999,
            7_001,
            30,
            FailurePolicy.DEAD_LETTER,
            true,
            false);
    insert(
        new Row(
            1, activation, Status.CLAIMED, 6_999, 2, 8_001, 9_001, false, false, Row.NONE, null));
    assertThat(
            outsider.rows(
                "SELECT id, hex(activation), \"partition\", \"offset\", added_at, received_at,"
                    + " processing_attempts"
                    + VIEW))
        .containsExactly("00000000-0000-0000-0000-00000000003f|CAFE|3|42|6|5|2");
    assertThat(
            outsider.rows(
                "SELECT processing_deadline_duration, status, at_most_once, application, namespace,"
                    + " taskname, on_attempts_exceeded, bucket"
                    + VIEW))
        .containsExactly("30|Claimed|1|app|namespace|task|2|63");
    assertThat(
            outsider.rows(
                "SELECT typeof(id), typeof(activation), typeof(\"partition\"), typeof(\"offset\"),"
                    + " typeof(added_at), typeof(expires_at), typeof(status), typeof(at_most_once),"
                    + " typeof(bucket)"
                    + VIEW))
        .containsExactly("text|blob|integer|integer|integer|integer|text|integer|integer");
  }

  @Test
  void h21ExpiriesAreRoundedDownAndStartsUp() throws SQLException {
    insert(times(1, 5_000, 5_000));
    insert(times(2, 5_001, 5_001));
    insert(times(3, 5_999, 5_999));
    insert(times(4, Activation.NEVER - 1, Long.MAX_VALUE));
    assertThat(
            outsider.rows(
                "SELECT expires_at, delay_until, processing_deadline, claim_expires_at"
                    + VIEW
                    + " ORDER BY id"))
        .containsExactly(
            "5|5|5|5",
            "5|6|6|6",
            "5|6|6|6",
            "9223372036854775|9223372036854776|9223372036854776|9223372036854776");
  }

  @Test
  void absentTimesAreNull() throws SQLException {
    insert(Rows.pending(1));
    assertThat(
            outsider.rows(
                "SELECT expires_at IS NULL, delay_until IS NULL, processing_deadline IS NULL,"
                    + " claim_expires_at IS NULL"
                    + VIEW))
        .containsExactly("1|1|1|1");
  }

  @Test
  void statusesHaveTheirStoredNames() throws SQLException {
    long key = 0;
    for (Status status : Status.values()) {
      insert(Row.arriving(++key, Rows.pending(1).activation(), status, NOW));
    }
    assertThat(outsider.rows("SELECT status" + VIEW))
        .containsExactlyInAnyOrder(
            "Pending", "Claimed", "Processing", "Failure", "Retry", "Complete", "Delay");
  }

  @Test
  void elapsedDelayShowsAsPending() throws SQLException {
    insert(delayed(1, 1));
    insert(delayed(2, Long.MAX_VALUE / 2));
    assertThat(outsider.rows("SELECT status" + VIEW + " ORDER BY id"))
        .containsExactly("Pending", "Delay");
  }

  private static Row delayed(long key, long until) {
    Activation any = Rows.pending(key).activation();
    var activation =
        new Activation(
            "id-" + key,
            any.application(),
            any.namespace(),
            any.taskname(),
            any.payload(),
            any.origin(),
            any.receivedAt(),
            Activation.NEVER,
            until,
            any.deadlineSeconds(),
            any.failurePolicy(),
            false,
            false);
    return Row.arriving(key, activation, Status.DELAY, NOW);
  }

  @Test
  void undecodableMessageShowsAsFailure() throws SQLException {
    Origin origin = new Origin("topic", 3, 42);
    Activation activation =
        new Activation(
            Ids.undecodable(origin, NOW),
            "",
            "",
            "",
            new byte[] {1},
            origin,
            NOW,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.DEAD_LETTER,
            false,
            false);
    insert(Row.arriving(1, activation, Status.PENDING, NOW).forwardedTo(Destination.of("dead")));
    assertThat(outsider.rows("SELECT id, status, bucket" + VIEW))
        .containsExactly("undecodable:topic:3:42:%d|Failure|0".formatted(NOW));
  }

  @Test
  void commitsAreVisibleAtOnceAndReadersBlockNothing() throws SQLException {
    insert(Rows.pending(1));
    outsider.connection().setAutoCommit(false);
    assertThat(outsider.rows("SELECT count(*)" + VIEW)).containsExactly("1");
    insert(Rows.pending(2));
    commit(new Change.Delete(1, "id-1", Rows.ORIGIN, Row.NONE, null));
    store.maintain(NOW);
    assertThat(outsider.rows("SELECT id" + VIEW)).containsExactly("id-1");
    outsider.connection().rollback();
    assertThat(outsider.rows("SELECT id" + VIEW)).containsExactly("id-2");
  }

  private static Row times(long key, long end, long beginning) {
    Activation activation =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            "task",
            new byte[0],
            new Origin("topic", 0, 0),
            NOW,
            end,
            beginning,
            0,
            FailurePolicy.DISCARD,
            false,
            false);
    return new Row(
        key,
        activation,
        Status.PENDING,
        NOW,
        0,
        beginning,
        beginning,
        false,
        false,
        Row.NONE,
        null);
  }

  private void insert(Row row) {
    commit(new Change.Insert(row, null));
  }

  private void commit(Change change) {
    store.commit(new WriteBatch(++batch, List.of(change)));
  }
}
