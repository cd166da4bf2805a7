package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import java.util.List;
import org.junit.jupiter.api.Test;

/// View `inflight_taskactivations` of a task in each of its states, for every store (reference-spec
/// 4.2). The view uses the database's clock, so test times are far before or after it.
public abstract class ViewContract {
  protected static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "topic", 0);

  private static final long PAST = 1_700_000_000_000L;
  private static final long FUTURE = 32_503_680_000_000L; // the year 3000

  private long batch;

  /// The store, which owns [#PARTITION].
  protected abstract ActivationStore store();

  /// Rows of a query by another client, each with its columns joined by `|`, NULL as `null`.
  protected abstract List<String> read(String query);

  /// SQL expression of a time column, in seconds since the epoch.
  protected abstract String seconds(String column);

  @Test
  void viewShowsEveryStateAsTheReferenceWritesIt() {
    insert(1, Status.DELAY, FUTURE, false, Row.NONE);
    assertThat(seen(1)).isEqualTo("Delay|0|null|null");
    insert(2, Status.DELAY, PAST, false, Row.NONE);
    assertThat(seen(2)).as("delay over, not delivered").isEqualTo("Pending|0|null|null");
    insert(3, Status.DELAY, PAST, false, PAST);
    assertThat(seen(3)).as("the same, parked").isEqualTo("Pending|0|null|null");

    insert(4, Status.PENDING, 0, false, Row.NONE);
    assertThat(seen(4)).isEqualTo("Pending|0|null|null");
    updateStatus(4, Status.CLAIMED, 0, FUTURE, Row.NONE);
    assertThat(seen(4)).isEqualTo("Claimed|0|null|32503680000");
    updateStatus(4, Status.CLAIMED, 0, PAST, Row.NONE);
    assertThat(seen(4)).as("lease expired").isEqualTo("Pending|0|null|null");
    updateStatus(4, Status.PROCESSING, 0, Row.NONE, FUTURE);
    assertThat(seen(4)).isEqualTo("Processing|0|32503680000|null");
    updateStatus(4, Status.PENDING, 1, Row.NONE, Row.NONE);
    assertThat(seen(4)).as("deadline passed").isEqualTo("Pending|1|null|null");
    forward(4, Status.RETRY);
    assertThat(seen(4)).isEqualTo("Retry|1|null|null");
    delete(4);
    assertThat(seen(4)).as("completed or forwarded and removed").isEmpty();

    insert(5, Status.DELAY, PAST, false, PAST);
    updateStatus(5, Status.PROCESSING, 0, Row.NONE, FUTURE);
    assertThat(seen(5)).as("processing after a delay").isEqualTo("Processing|0|32503680000|null");
    forward(5, Status.FAILURE);
    assertThat(seen(5)).isEqualTo("Failure|0|32503680000|null");

    insert(6, Status.PENDING, 0, true, Row.NONE);
    updateStatus(6, Status.CLAIMED, 0, PAST, Row.NONE);
    assertThat(seen(6)).as("at most once, possibly run").isEqualTo("Claimed|0|null|1700000000");
    insert(7, Status.COMPLETE, 0, false, Row.NONE);
    assertThat(seen(7)).as("unchanged from the reference").isEqualTo("Complete|0|null|null");
  }

  @Test
  void columnsMatchTheReferenceInOrder() {
    assertThat(columns()).isEqualTo(referenceColumns());
  }

  /// Column names with their types, if any, in order.
  protected abstract List<String> columns();

  /// Column names and types of a table of the reference, in order.
  protected abstract List<String> referenceColumns();

  private String seen(long key) {
    String query =
        "SELECT status, processing_attempts, %s, %s FROM inflight_taskactivations WHERE id = 'id-%d'"
            .formatted(seconds("processing_deadline"), seconds("claim_expires_at"), key);
    return String.join(",", read(query));
  }

  private void insert(long key, Status status, long delayUntil, boolean once, long parkedUntil) {
    var activation =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            "task",
            new byte[] {1},
            origin(),
            PAST,
            Activation.NEVER,
            delayUntil,
            30,
            FailurePolicy.DEAD_LETTER,
            once,
            false);
    Row row = Row.arriving(key, activation, status, PAST).parkedUntil(parkedUntil);
    commit(new Change.Insert(row, null));
  }

  private void updateStatus(long key, Status status, int attempts, long claim, long deadline) {
    commit(
        new Change.UpdateStatus(
            key, "id-" + key, origin(), status, attempts, claim, deadline, false, true, null));
  }

  private void forward(long key, Status status) {
    commit(
        new Change.Forward(
            key, "id-" + key, origin(), status, null, Destination.of("elsewhere"), null));
  }

  private void delete(long key) {
    commit(new Change.Delete(key, "id-" + key, origin(), Row.NONE, null));
  }

  private void commit(Change change) {
    store().commit(new WriteBatch(++batch, List.of(change)));
  }

  private static Origin origin() {
    return new Origin(PARTITION.topic(), PARTITION.partition(), 42);
  }
}
