package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static io.taskbroker.store.postgres.PostgresSetup.query;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Reports that reach a broker which does not own the task.
@Timeout(240)
final class H03RemoteReportTableTest {
  private final Database database = PostgresServer.shared().newDatabase();

  /// A report may be received again: after an outage all of them are read.
  private final Set<RemoteReport> received = ConcurrentHashMap.newKeySet();

  private PostgresStore owner;
  private PostgresStore other;
  private Service watch;

  @BeforeEach
  void open() {
    owner = PostgresStore.open(PostgresSetup.options(database));
    other = PostgresStore.open(PostgresSetup.options(database));
    owner.take(partition(0), 1);
    watch =
        owner.watch(
            new PostgresStore.Listener() {
              @Override
              public void leased(long until, long wallUntil) {}

              @Override
              public void reported(List<RemoteReport> reports) {
                received.addAll(reports);
              }
            },
            (_, _) -> {});
    watch.start();
    owner.commit(new WriteBatch(1, List.of(insert(1, 0), insert(2, 0))));
  }

  @AfterEach
  void close() {
    watch.stop();
    owner.close();
    other.close();
  }

  @Test
  void h03ReportReachesWhoHasTheRow() {
    RemoteReport complete = new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1);
    RemoteReport unknown = new RemoteReport(0, "nobody's \0", Status.FAILURE, -1, -1);
    RemoteReport retry = new RemoteReport(0, "id-2", Status.RETRY, 5, 30);
    assertThat(other.report(List.of(complete, unknown, retry))).containsExactly(true, false, true);
    RemoteReport[] expected = {
      new RemoteReport(1, "id-1", Status.COMPLETE, -1, -1),
      new RemoteReport(2, "id-2", Status.RETRY, 5, 30)
    };
    await().untilAsserted(() -> assertThat(received).containsExactlyInAnyOrder(expected));
    assertThat(owner.reports(List.of(1L, 2L, 3L))).containsExactlyInAnyOrder(expected);
    assertThat(owner.reports(partition(0))).containsExactlyInAnyOrder(expected);
    assertThat(other.reports(partition(0))).isEmpty();
    owner.commit(new WriteBatch(2, List.of(delete(1, 0))));
    assertThat(query(database, "SELECT string_agg(id, ' ') FROM taskbroker_remote_report"))
        .as("reports are deleted with their row")
        .isEqualTo("id-2");
  }

  @Test
  void h03OwnerReceivesManyReportsAndUnusualIds() {
    List<Change> inserts = new ArrayList<>();
    List<RemoteReport> reports = new ArrayList<>();
    for (int key = 100; key < 600; key++) {
      String id = "a long id, a long id, a long id, a long id " + key;
      inserts.add(insertOf(key, id));
      reports.add(new RemoteReport(0, id, Status.COMPLETE, -1, -1));
    }
    owner.commit(new WriteBatch(2, inserts));
    assertThat(other.report(reports)).containsOnly(true).hasSize(500);
    await().untilAsserted(() -> assertThat(received).hasSize(500));
    List<String> unusual = List.of("with\ta tab", "with\na line", "x".repeat(9_000), "");
    List<Change> more = new ArrayList<>();
    for (int i = 0; i < unusual.size(); i++) {
      more.add(insertOf(1_000 + i, unusual.get(i)));
    }
    owner.commit(new WriteBatch(3, more));
    assertThat(
            other.report(
                unusual.stream()
                    .map(id -> new RemoteReport(0, id, Status.FAILURE, -1, -1))
                    .toList()))
        .containsOnly(true);
    await()
        .untilAsserted(() ->
            assertThat(received)
                .filteredOn(report -> report.status() == Status.FAILURE)
                .extracting(RemoteReport::id)
                .containsAll(unusual));
  }

  @Test
  void h03NextOwnerReadsReportsOfAReleasedPartition() {
    owner.release(partition(0), true);
    other.report(List.of(new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1)));
    other.report(List.of(new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1)));
    other.take(partition(0), 2);
    assertThat(other.reports(partition(0)))
        .as("reported twice, stored once")
        .containsExactly(new RemoteReport(1, "id-1", Status.COMPLETE, -1, -1));
    assertThat(received).isEmpty();
  }

  /// They arrived while no broker ran that has the row: no task runs before its owner knows them.
  @Test
  void h03MissedReportsArriveBeforeTheFirstLease() {
    other.take(partition(1), 1);
    other.commit(new WriteBatch(1, List.of(insert(11, 1))));
    owner.report(List.of(new RemoteReport(0, "id-11", Status.COMPLETE, -1, -1)));
    List<String> calls = new CopyOnWriteArrayList<>();
    Service late =
        other.watch(
            new PostgresStore.Listener() {
              @Override
              public void leased(long until, long wallUntil) {
                calls.add("leased");
              }

              @Override
              public void reported(List<RemoteReport> reports) {
                calls.add("reported");
              }
            },
            (_, _) -> {});
    late.start();
    await().until(() -> calls.contains("leased"));
    late.stop();
    assertThat(calls).startsWith("reported");
  }

  /// A report of a failed attempt must not count for the next one, which has the same row; one of a
  /// completion ends the task.
  @Test
  void h03RetryOfARowDeletesTheReportsOfItsFailure() {
    other.report(List.of(new RemoteReport(0, "id-1", Status.RETRY, 3, -1)));
    other.report(List.of(new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1)));
    await().until(() -> received.size() == 2);
    Row row = owner.load(0, 1).getFirst();
    owner.commit(new WriteBatch(2, List.of(new Change.Retry(row, null))));
    assertThat(owner.reports(partition(0)))
        .extracting(RemoteReport::status)
        .containsExactly(Status.COMPLETE);
  }

  @Test
  void h03ReportWithoutARowIsPurged() {
    database.execute(
        "INSERT INTO taskbroker_remote_report"
            + " (partition_id, key, status, id, max_attempts, delay_on_retry)"
            + " SELECT partition_id, 77, 'Complete', 'gone', -1, -1 FROM taskbroker_owned_partition"
            + " WHERE topic = 'topic'");
    owner.maintain(Rows.NOW);
    assertThat(query(database, "SELECT count(*) FROM taskbroker_remote_report")).isEqualTo("0");
  }

  @Test
  void h04DuplicateIdsInTwoPartitionsAreTwoRows() {
    other.take(partition(1), 1);
    other.commit(new WriteBatch(1, List.of(insertIn(5, "id-1", 1))));
    assertThat(other.report(List.of(new RemoteReport(0, "id-1", Status.COMPLETE, -1, -1))))
        .containsExactly(true);
    assertThat(query(database, "SELECT count(*) FROM taskbroker_remote_report")).isEqualTo("2");
    owner.commit(new WriteBatch(2, List.of(delete(1, 0))));
    assertThat(other.load(0, 10)).extracting(Row::key).containsExactly(5L);
  }

  private static Change insertOf(long key, String id) {
    return insertIn(key, id, 0);
  }

  private static Change insertIn(long key, String id, int partition) {
    Row row = PostgresSetup.row(key, partition);
    var like = row.activation();
    return new Change.Insert(
        Row.arriving(
            key,
            new Activation(
                id,
                like.application(),
                like.namespace(),
                like.taskname(),
                like.payload(),
                like.origin(),
                like.receivedAt(),
                like.expiresAt(),
                like.delayUntil(),
                like.deadlineSeconds(),
                like.failurePolicy(),
                false,
                false),
            Status.PENDING,
            Rows.NOW),
        null);
  }
}
