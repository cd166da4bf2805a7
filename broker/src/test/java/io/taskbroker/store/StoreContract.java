package io.taskbroker.store;

import static io.taskbroker.store.Rows.NOW;
import static io.taskbroker.store.Rows.parked;
import static io.taskbroker.store.Rows.pending;
import static io.taskbroker.store.Rows.text;
import static io.taskbroker.store.Rows.texts;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.ActivationStore.Tombstone;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Contract of every store implementation.
public abstract class StoreContract {
  protected static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "topic", 0);

  private ActivationStore store;
  private long batch;

  /// Opens the store of this test, which is empty at first and keeps committed data.
  protected abstract ActivationStore open();

  @BeforeEach
  final void openStore() {
    store = open();
  }

  @AfterEach
  final void closeStore() {
    store.close();
  }

  /// Whether brokers share the store and have separate key ranges.
  protected boolean isShared() {
    return false;
  }

  /// Text of the complete content of the store.
  protected String strangeText() {
    return "nul\0, quote ', \ud83d\ude00, \uffff, e\u0301";
  }

  @Test
  void newStoreHoldsNothing() {
    assertThat(store.load(0, 10)).isEmpty();
    assertThat(store.loadParked(0, 10)).isEmpty();
    assertThat(store.watermarks()).isEmpty();
    assertThat(store.tombstones(0)).isEmpty();
    assertThat(store.due(new ParkedQuery("app", 0, 0, 0, Long.MAX_VALUE, 10)))
        .isEqualTo(new ParkedPage(List.of(), Row.NONE));
  }

  @Test
  void nameIsKept() {
    String name = store.name();
    reopen();
    assertThat(store.name()).isEqualTo(name).isNotEmpty();
  }

  @Test
  void emptyBatchIsCommitted() {
    assertThat(commit()).isEmpty();
  }

  @Test
  void allFieldsOfARowAreKept() {
    List<Row> rows = new ArrayList<>();
    for (Status status : Status.values()) {
      rows.add(Row.arriving(rows.size() + 1, pending(1).activation(), status, NOW));
    }
    Activation full =
        new Activation(
            "id",
            "application",
            "namespace",
            "task",
            new byte[] {0, -1, 127},
            new Origin("other-topic", Integer.MAX_VALUE, Long.MAX_VALUE),
            NOW + 1,
            NOW + 2,
            NOW + 3,
            Integer.MAX_VALUE,
            FailurePolicy.DEAD_LETTER,
            true,
            true);
    Destination forwardTo =
        new Destination("dead", "a:1,b:2", Map.of("why", "\"it\" failed", "", ""));
    rows.add(new Row(90, full, Status.FAILURE, NOW, 7, 1, 2, true, true, Row.NONE, forwardTo));
    rows.add(
        new Row(91, full, Status.RETRY, 0, 0, 0, 0, false, true, Row.NONE, Destination.of("t")));
    rows.add(new Row(92, full, Status.PROCESSING, NOW, 7, 1, 2, true, false, Row.NONE, null));
    for (FailurePolicy policy : FailurePolicy.values()) {
      rows.add(
          Row.arriving(
              100 + policy.number(),
              new Activation(
                  "id",
                  "a",
                  "n",
                  "t",
                  new byte[1],
                  full.origin(),
                  0,
                  0,
                  0,
                  0,
                  policy,
                  false,
                  false),
              Status.PENDING,
              NOW));
    }
    insert(rows.toArray(Row[]::new));
    reopen();
    assertThat(texts(store.load(0, 100))).isEqualTo(texts(rows));
  }

  @Test
  void anyTextAndAnyPayloadIsKept() {
    byte[] large = new byte[5 << 20];
    new Random(5).nextBytes(large);
    String strange = strangeText();
    List<Row> rows =
        List.of(
            withTexts(1, "", new byte[0]),
            withTexts(2, strange, large),
            withTexts(3, strange.substring(0, 4), new byte[] {0}),
            new Row(
                4,
                pending(4).activation(),
                Status.FAILURE,
                NOW,
                0,
                Row.NONE,
                Row.NONE,
                false,
                false,
                Row.NONE,
                new Destination(strange, Map.of(strange, strange))));
    insert(rows.toArray(Row[]::new));
    reopen();
    assertThat(texts(store.load(0, 100))).isEqualTo(texts(rows));
  }

  @Test
  void parkedRowIsReadCompletely() {
    Row row = withTexts(7, strangeText(), new byte[3000]).parkedUntil(NOW);
    insert(row);
    reopen();
    ParkedPage page = store.due(new ParkedQuery(row.activation().application(), 0, 0, 0, NOW, 5));
    assertThat(texts(page.rows())).containsExactly(text(row));
    assertThat(store.loadParked(0, 5))
        .containsExactly(
            new ParkedRow(
                7,
                row.activation().id(),
                row.activation().application(),
                row.activation().origin(),
                NOW,
                false,
                0));
  }

  @Test
  void h08ParkedRowKnowsWhetherItLeavesATombstone() {
    insert(
        ending(1, false, false),
        ending(2, false, true),
        ending(3, true, false),
        ending(4, true, true));
    reopen();
    assertThat(store.loadParked(0, 10))
        .extracting(ParkedRow::key, ParkedRow::leavesTombstone)
        .containsExactly(tuple(1L, false), tuple(2L, true), tuple(3L, true), tuple(4L, true));
  }

  @Test
  void insertOfAnExistingKeyIsADuplicateAndChangesNothing() {
    insert(pending(1));
    Row other =
        Row.arriving(1, Rows.activation("other", "other", new byte[0]), Status.PENDING, NOW);
    assertThat(commit(new Change.Insert(other, null), new Change.Insert(pending(2), null)))
        .containsExactly(ChangeOutcome.DUPLICATE, ChangeOutcome.APPLIED);
    assertThat(texts(store.load(0, 10))).containsExactly(text(pending(1)), text(pending(2)));
  }

  @Test
  void changeOfAMissingRowIsMissing() {
    assertThat(
            commit(
                updateStatus(1, Status.PROCESSING),
                new Change.ConfirmOffset(1, "id-1", Rows.ORIGIN, null),
                new Change.Forward(
                    1, "id-1", Rows.ORIGIN, Status.RETRY, null, Destination.of("t"), null),
                new Change.Forward(
                    1, "id-1", Rows.ORIGIN, Status.RETRY, new byte[1], Destination.of("t"), null),
                delete(1)))
        .containsOnly(ChangeOutcome.MISSING)
        .hasSize(5);
    assertThat(store.load(0, 10)).isEmpty();
  }

  @Test
  void statusUpdateSetsItsColumnsAndUnparks() {
    insert(parked(1, "app", NOW), pending(2));
    assertThat(
            commit(
                new Change.UpdateStatus(
                    1, "id-1", Rows.ORIGIN, Status.CLAIMED, 3, NOW + 1, NOW + 2, true, true, null)))
        .containsExactly(ChangeOutcome.APPLIED);
    assertThat(store.loadParked(0, 10)).isEmpty();
    Row updated =
        new Row(
            1,
            parked(1, "app", NOW).activation(),
            Status.CLAIMED,
            NOW,
            3,
            NOW + 1,
            NOW + 2,
            true,
            true,
            Row.NONE,
            null);
    assertThat(texts(store.load(0, 10))).containsExactly(text(updated), text(pending(2)));
    commit(updateStatus(1, Status.PENDING));
    Row again = Row.arriving(1, updated.activation(), Status.PENDING, NOW);
    assertThat(texts(store.load(0, 1))).containsExactly(text(again));
  }

  @Test
  void h02OffsetConfirmationIsKeptAndLeavesTheRowParked() {
    insert(pending(1), parked(2, "app", NOW));
    assertThat(
            commit(
                new Change.ConfirmOffset(1, "id-1", Rows.ORIGIN, null),
                new Change.ConfirmOffset(2, "id-2", Rows.ORIGIN, null),
                new Change.ConfirmOffset(3, "id-3", Rows.ORIGIN, null)))
        .containsExactly(ChangeOutcome.APPLIED, ChangeOutcome.APPLIED, ChangeOutcome.MISSING);
    reopen();
    assertThat(store.load(0, 10))
        .extracting(Row::key, Row::committed)
        .containsExactly(tuple(1L, true));
    ParkedPage page = store.due(new ParkedQuery("app", 0, 0, 0, NOW, 10));
    assertThat(page.rows())
        .extracting(Row::key, Row::committed, Row::parkedUntil)
        .containsExactly(tuple(2L, true, NOW));
  }

  @Test
  void h07ForwardedRowHoldsPayloadAndDestination() {
    insert(pending(1), pending(2), parked(3, "app", NOW));
    Destination dead = new Destination("dead", "far:9092", Map.of("reason", "failed"));
    commit(
        new Change.Forward(
            1, "id-1", Rows.ORIGIN, Status.RETRY, new byte[] {9}, Destination.of("t"), null),
        new Change.Forward(2, "id-2", Rows.ORIGIN, Status.FAILURE, null, dead, null),
        new Change.Forward(3, "id-3", Rows.ORIGIN, Status.FAILURE, null, dead, null));
    reopen();
    List<Row> rows = store.load(0, 10);
    assertThat(rows).extracting(Row::key).containsExactly(1L, 2L, 3L);
    assertThat(rows)
        .extracting(Row::status)
        .containsExactly(Status.RETRY, Status.FAILURE, Status.FAILURE);
    assertThat(rows).extracting(Row::forwardTo).containsExactly(Destination.of("t"), dead, dead);
    assertThat(rows)
        .extracting(row -> row.activation().payload())
        .containsExactly(new byte[] {9}, new byte[] {1, 2, 3}, new byte[] {3});
    assertThat(store.loadParked(0, 10)).isEmpty();
  }

  @Test
  void retriedRowHasNothingOfTheFailedAttempt() {
    insert(pending(1), parked(2, "app", NOW));
    commit(
        new Change.UpdateStatus(
            1, "id-1", Rows.ORIGIN, Status.PROCESSING, 3, NOW, NOW + 2, true, true, null));
    Activation next = pending(1).activation().delayed(NOW + 500, new byte[] {7, 8});
    Row retry = Row.arriving(1, next, Status.DELAY, NOW + 100);
    Row missing = Row.arriving(9, next, Status.DELAY, NOW + 100);
    assertThat(commit(new Change.Retry(retry, null), new Change.Retry(missing, null)))
        .containsExactly(ChangeOutcome.APPLIED, ChangeOutcome.MISSING);
    reopen();
    Row stored = store.load(0, 1).getFirst();
    assertThat(stored.status()).isEqualTo(Status.DELAY);
    assertThat(stored.attempts()).isZero();
    assertThat(stored.processingDeadline()).isEqualTo(Row.NONE);
    assertThat(stored.claimExpiresAt()).isEqualTo(Row.NONE);
    assertThat(stored.deadlineExtended()).isFalse();
    assertThat(stored.committed()).isTrue();
    assertThat(stored.addedAt()).isEqualTo(NOW);
    assertThat(stored.activation().delayUntil()).isEqualTo(NOW + 500);
    assertThat(stored.activation().payload()).containsExactly(7, 8);
    commit(delete(1));
    assertThat(store.load(0, 1)).isEmpty();
  }

  @Test
  void g4ForwardedRowCanChangeItsDestination() {
    insert(pending(1));
    Destination first = new Destination("gone", "far:9092", Map.of("reason", "failed"));
    Destination second = new Destination("other", Map.of("reason", "failed"));
    commit(new Change.Forward(1, "id-1", Rows.ORIGIN, Status.RETRY, new byte[] {9}, first, null));
    commit(new Change.Forward(1, "id-1", Rows.ORIGIN, Status.RETRY, null, second, null));
    reopen();
    Row row = store.load(0, 10).getFirst();
    assertThat(row.status()).isEqualTo(Status.RETRY);
    assertThat(row.forwardTo()).isEqualTo(second);
    assertThat(row.activation().payload()).containsExactly(9);
  }

  @Test
  void h08TombstoneLastsUntilItExpires() {
    insert(pending(1), pending(2), pending(3));
    commit(
        new Change.Delete(1, "id-1", Rows.ORIGIN, NOW + 20, null),
        new Change.Delete(2, "id-2", Rows.ORIGIN, NOW + 10, null),
        delete(3),
        new Change.Delete(4, "never there", Rows.ORIGIN, NOW + 30, null));
    reopen();
    assertThat(store.tombstones(NOW))
        .containsExactly(
            new Tombstone(Ids.fingerprint("id-2"), NOW + 10),
            new Tombstone(Ids.fingerprint("id-1"), NOW + 20),
            new Tombstone(Ids.fingerprint("never there"), NOW + 30));
    assertThat(store.tombstones(NOW + 9)).hasSize(3);
    assertThat(store.tombstones(NOW + 10)).hasSize(2);
    store.maintain(NOW + 20);
    assertThat(store.tombstones(0))
        .containsExactly(new Tombstone(Ids.fingerprint("never there"), NOW + 30));
  }

  @Test
  void laterTombstoneOfAnIdCounts() {
    commit(
        new Change.Delete(1, "id", Rows.ORIGIN, NOW + 10, null),
        new Change.Delete(2, "id", Rows.ORIGIN, NOW + 30, null),
        new Change.Delete(3, "id", Rows.ORIGIN, NOW + 20, null),
        new Change.Delete(4, "id", Rows.ORIGIN, NOW + 20, null));
    assertThat(store.tombstones(NOW))
        .containsExactly(new Tombstone(Ids.fingerprint("id"), NOW + 30));
  }

  @Test
  void lastKeyIsTheLargestKeyEverUsed() {
    long first = store.lastKey();
    if (!isShared()) {
      assertThat(first).isZero();
    }
    insert(pending(first + 5), pending(first + 9), pending(first + 7));
    insert(pending(first + 6));
    assertThat(commit(new Change.Insert(pending(first + 9), null)))
        .containsExactly(ChangeOutcome.DUPLICATE);
    assertThat(store.lastKey()).isEqualTo(first + 9);
    commit(delete(first + 9), delete(first + 7), delete(first + 6), delete(first + 5));
    assertThat(store.lastKey()).isEqualTo(first + 9);
  }

  @Test
  void keysAreNeverReused() {
    long last = store.lastKey() + 9;
    insert(pending(last));
    commit(delete(last));
    reopen();
    if (isShared()) {
      assertThat(store.lastKey()).isGreaterThan(last);
    } else {
      assertThat(store.lastKey()).isEqualTo(last);
    }
    long next = store.lastKey() + 1;
    insert(pending(next));
    assertThat(store.lastKey()).isEqualTo(next);
  }

  @Test
  void rowsAreLoadedInPages() {
    for (long key = 1; key <= 10; key++) {
      insert(key % 2 == 0 ? parked(key, "app", NOW) : pending(key));
    }
    assertThat(store.load(0, 3)).extracting(Row::key).containsExactly(1L, 3L, 5L);
    assertThat(store.load(5, 3)).extracting(Row::key).containsExactly(7L, 9L);
    assertThat(store.load(9, 3)).isEmpty();
    assertThat(store.loadParked(0, 3)).extracting(ParkedRow::key).containsExactly(2L, 4L, 6L);
    assertThat(store.loadParked(6, 3)).extracting(ParkedRow::key).containsExactly(8L, 10L);
    assertThat(store.loadParked(10, 3)).isEmpty();
  }

  @Test
  void rowsAreReadByKey() {
    Row pending = pending(1);
    Row parked = parked(2, "app", NOW);
    insert(pending, parked, pending(3));
    reopen();
    assertThat(store.rows(List.of(2L, 9L, 1L, 2L)))
        .usingRecursiveFieldByFieldElementComparator()
        .containsExactly(pending, parked);
    assertThat(store.rows(List.of(9L))).isEmpty();
    assertThat(store.rows(List.of())).isEmpty();
  }

  @Test
  void h15DueRowsAreReadInPagesOfOneApplication() {
    insert(
        parked(1, "app", NOW + 2),
        parked(2, "app", NOW + 1),
        parked(3, "app", NOW + 1),
        parked(4, "app", NOW + 1),
        parked(5, "other", NOW),
        parked(6, "app", NOW + 9),
        pending(7));
    ParkedPage first = store.due(new ParkedQuery("app", 0, 0, 0, NOW + 5, 2));
    assertThat(first.rows()).extracting(Row::key).containsExactly(2L, 3L);
    assertThat(first.nextDue()).isEqualTo(NOW + 1);
    ParkedPage second = store.due(new ParkedQuery("app", 0, NOW + 1, 3, NOW + 5, 2));
    assertThat(second.rows()).extracting(Row::key).containsExactly(4L, 1L);
    assertThat(second.nextDue()).isEqualTo(NOW + 9);
    ParkedPage third = store.due(new ParkedQuery("app", 0, NOW + 2, 1, NOW + 5, 2));
    assertThat(third).isEqualTo(new ParkedPage(List.of(), NOW + 9));
    ParkedPage last = store.due(new ParkedQuery("app", 0, NOW + 2, 1, NOW + 9, 2));
    assertThat(last.rows()).extracting(Row::key).containsExactly(6L);
    assertThat(last.nextDue()).isEqualTo(Row.NONE);
    assertThat(store.due(new ParkedQuery("other", 0, 0, 0, NOW - 1, 2)))
        .isEqualTo(new ParkedPage(List.of(), NOW));
    assertThat(store.due(new ParkedQuery("nobody", 0, 0, 0, NOW + 9, 2)))
        .isEqualTo(new ParkedPage(List.of(), Row.NONE));
  }

  @Test
  void h01WatermarkMovesInTheTransactionOfTheRows() {
    commit(new Change.Insert(pending(1), null), new Change.AdvanceWatermark(PARTITION, 100, null));
    reopen();
    assertThat(store.watermarks()).containsExactly(new Watermark(PARTITION, 100, Watermark.NONE));
    commit(new Change.OffsetCommitted(PARTITION, 90, null));
    assertThat(store.watermarks()).containsExactly(new Watermark(PARTITION, 100, 90));
    commit(new Change.AdvanceWatermark(PARTITION, 50, null));
    reopen();
    assertThat(store.watermarks()).containsExactly(new Watermark(PARTITION, 50, 90));
  }

  @Test
  void h05CommittedOffsetCreatesAMissingWatermark() {
    commit(new Change.OffsetCommitted(PARTITION, 7, null));
    reopen();
    assertThat(store.watermarks()).containsExactly(new Watermark(PARTITION, 7, 7));
    commit(new Change.OffsetCommitted(PARTITION, 0, null));
    assertThat(store.watermarks()).containsExactly(new Watermark(PARTITION, 7, 0));
  }

  @Test
  void watermarksAreOfOneClusterGroupTopicAndPartition() {
    List<SourcePartition> partitions =
        List.of(
            PARTITION,
            new SourcePartition("other", "group", "topic-uuid", "topic", 0),
            new SourcePartition("cluster", "other", "topic-uuid", "topic", 0),
            new SourcePartition("cluster", "group", "other", "topic", 0),
            new SourcePartition("cluster", "group", "topic-uuid", "other", 0),
            new SourcePartition("cluster", "group", "topic-uuid", "topic", 1));
    for (int i = 0; i < partitions.size(); i++) {
      commit(new Change.AdvanceWatermark(partitions.get(i), i, null));
    }
    List<Watermark> wanted = new ArrayList<>();
    for (int i = 0; i < partitions.size(); i++) {
      wanted.add(new Watermark(partitions.get(i), i, Watermark.NONE));
    }
    assertThat(store.watermarks()).containsExactlyInAnyOrderElementsOf(wanted);
  }

  @Test
  void h06RepeatedBatchIsAppliedOnce() {
    insert(pending(1));
    WriteBatch again =
        new WriteBatch(
            ++batch,
            List.of(
                new Change.Insert(pending(2), null),
                delete(1),
                delete(77),
                new Change.AdvanceWatermark(PARTITION, 3, null)));
    List<ChangeOutcome> outcomes = store.commit(again);
    assertThat(outcomes)
        .containsExactly(
            ChangeOutcome.APPLIED,
            ChangeOutcome.APPLIED,
            ChangeOutcome.MISSING,
            ChangeOutcome.APPLIED);
    assertThat(store.commit(again)).isEqualTo(outcomes);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(2L);
    assertThat(commit(new Change.Insert(pending(3), null))).containsExactly(ChangeOutcome.APPLIED);
    assertThatThrownBy(() -> store.commit(again)).isInstanceOf(IllegalArgumentException.class);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(2L, 3L);
  }

  @Test
  void batchNumbersRestartWithEachOpening() {
    insert(pending(1));
    batch = 1000;
    insert(pending(2));
    reopen();
    batch = 0;
    insert(pending(3));
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(1L, 2L, 3L);
  }

  @Test
  void h20ChangesOfABatchApplyInOrder() {
    assertThat(
            commit(
                new Change.Insert(pending(1), null),
                updateStatus(1, Status.PROCESSING),
                delete(1),
                updateStatus(1, Status.PENDING),
                new Change.Insert(withTexts(2, "id-1", new byte[2]), null)))
        .containsExactly(
            ChangeOutcome.APPLIED,
            ChangeOutcome.APPLIED,
            ChangeOutcome.APPLIED,
            ChangeOutcome.MISSING,
            ChangeOutcome.APPLIED);
    assertThat(store.load(0, 10)).extracting(Row::key).containsExactly(2L);
  }

  @Test
  void sizeFollowsTheStoredData() {
    long empty = store.size();
    for (long key = 1; key <= 100; key++) {
      insert(withTexts(key, "id", new byte[20_000]));
    }
    assertThat(store.size()).isBetween(empty + 1_900_000, empty + 3_000_000);
    for (long key = 1; key <= 100; key++) {
      commit(delete(key));
    }
    assertThat(store.size()).isLessThan(empty + 100_000);
  }

  @Test
  void closedStoreRefuses() {
    store.close();
    store.close();
    assertThatThrownBy(() -> store.load(0, 1))
        .isInstanceOfSatisfying(
            StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FATAL));
  }

  protected final ActivationStore store() {
    return store;
  }

  protected final void reopen() {
    store.close();
    store = open();
    batch = 0;
  }

  protected final List<ChangeOutcome> commit(Change... changes) {
    return store.commit(new WriteBatch(++batch, List.of(changes)));
  }

  protected final void insert(Row... rows) {
    Change[] inserts = new Change[rows.length];
    for (int i = 0; i < rows.length; i++) {
      inserts[i] = new Change.Insert(rows[i], null);
    }
    assertThat(commit(inserts)).containsOnly(ChangeOutcome.APPLIED);
  }

  protected static Change updateStatus(long key, Status status) {
    return new Change.UpdateStatus(
        key, "id-" + key, Rows.ORIGIN, status, 0, Row.NONE, Row.NONE, false, false, null);
  }

  protected static Change delete(long key) {
    return new Change.Delete(key, "id-" + key, Rows.ORIGIN, Row.NONE, null);
  }

  private static Row ending(long key, boolean once, boolean derived) {
    Activation like = pending(key).activation();
    Activation activation =
        new Activation(
            like.id(),
            like.application(),
            like.namespace(),
            like.taskname(),
            like.payload(),
            like.origin(),
            like.receivedAt(),
            like.expiresAt(),
            NOW,
            like.deadlineSeconds(),
            like.failurePolicy(),
            once,
            derived);
    return Row.arriving(key, activation, Status.DELAY, NOW).parkedUntil(NOW);
  }

  private static Row withTexts(long key, String text, byte[] payload) {
    Activation activation =
        new Activation(
            text,
            text,
            text,
            text,
            payload,
            Rows.ORIGIN,
            NOW,
            Activation.NEVER,
            0,
            0,
            FailurePolicy.UNSPECIFIED,
            false,
            false);
    return Row.arriving(key, activation, Status.PENDING, NOW);
  }
}
