package io.taskbroker.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.store.Rows;
import io.taskbroker.telemetry.Metrics;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Metrics of transactions.
final class CommitCountsTest {
  private static final String TOPIC = "taskworker";
  private static final long SECOND = 1_000_000_000;

  private final Metrics metrics = new Metrics();
  private final CommitCounts counts =
      new CommitCounts(metrics, InstantSource.fixed(Instant.ofEpochMilli(Rows.NOW + 1_990)));

  @Test
  void countsChangesByKind() {
    counts.committed(
        List.of(
            insert(1), insert(2), delete(3), forward(4, Status.RETRY), forward(5, Status.FAILURE)),
        SECOND / 4);

    assertThat(metrics.stored.of(TOPIC).getLongValue()).isEqualTo(2);
    assertThat(metrics.writeToStore.of(TOPIC).getSum()).isEqualTo(0.25);
    assertThat(metrics.insertLag.of(TOPIC).getSum()).isCloseTo(2, within(1e-9));
    assertThat(metrics.flushes.of("ok").getLongValue()).isOne();
    assertThat(metrics.flushUpdated.of("Complete").getLongValue()).isOne();
    assertThat(metrics.flushUpdated.of("Retry").getLongValue()).isOne();
    assertThat(metrics.flushUpdated.of("Failure").getLongValue()).isOne();
    assertThat(metrics.commitDuration.getCount()).isOne();
    assertThat(metrics.commitChanges.getSum()).isEqualTo(5);
  }

  @Test
  void countsUpdatesToProcessing() {
    counts.committed(
        List.of(updateStatus(1, Status.PROCESSING), updateStatus(2, Status.PENDING)), SECOND);

    assertThat(metrics.marked.of("ok").getLongValue()).isOne();
    assertThat(metrics.flushes.of("ok").getLongValue()).isZero();
    assertThat(metrics.writeToStore.of(TOPIC).getCount()).isZero();
  }

  @Test
  void countsFailuresAndRecovery() {
    List<Change> changes = List.of(insert(1), delete(2));
    counts.failed(changes, true);
    counts.failed(changes, true);
    counts.committed(changes, SECOND);
    counts.committed(List.of(insert(3)), SECOND);
    counts.failed(List.of(delete(4)), false);

    assertThat(metrics.storeAttempts.of("commit").getLongValue()).isEqualTo(2);
    assertThat(metrics.storeRecoveries.of("commit").getLongValue()).isOne();
    assertThat(metrics.writeFailed.of(TOPIC).getLongValue()).isEqualTo(2);
    assertThat(metrics.flushes.of("error").getLongValue()).isEqualTo(3);
    assertThat(metrics.stored.of(TOPIC).getLongValue()).isEqualTo(2);
  }

  @Test
  void offsetsCountNeitherAsStoredNorAsFinished() {
    var partition = new SourcePartition("cluster", "group", "uuid", TOPIC, 0);
    counts.committed(List.of(new Change.AdvanceWatermark(partition, 5, null)), SECOND);

    assertThat(metrics.commitChanges.getSum()).isOne();
    assertThat(metrics.flushes.of("ok").getLongValue()).isZero();
  }

  private static Change insert(long key) {
    return new Change.Insert(Rows.pending(key), null);
  }

  private static Change delete(long key) {
    return new Change.Delete(key, "id-" + key, Rows.ORIGIN, Row.NONE, null);
  }

  private static Change forward(long key, Status status) {
    return new Change.Forward(
        key, "id-" + key, Rows.ORIGIN, status, null, Destination.of("elsewhere"), null);
  }

  private static Change updateStatus(long key, Status status) {
    return new Change.UpdateStatus(
        key, "id-" + key, Rows.ORIGIN, status, 0, Row.NONE, Row.NONE, false, false, null);
  }
}
