package io.taskbroker.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Row;
import io.taskbroker.store.FinishedPage.Found;
import io.taskbroker.store.RowBrowser.Position;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Records of finished tasks, of any store (docs/adr/0038).
public abstract class FinishedContract {
  protected static final long MAX_BYTES = 1_000_000;

  private static final Duration WITHIN = Duration.ofSeconds(5);
  private static final long NOW = Rows.NOW;
  private static final long HOUR = 3_600_000;

  private ActivationStore store;
  private RowBrowser browser;
  private long key;
  private long batch;

  /// Opens the store, with [#MAX_BYTES] as the limit on records.
  protected abstract ActivationStore open();

  protected abstract RowBrowser browser(ActivationStore opened);

  @BeforeEach
  void start() {
    store = open();
    browser = browser(store);
    key = store.lastKey();
  }

  @AfterEach
  void close() {
    browser.close();
    store.close();
  }

  @Test
  void recordComesWithTheRemovalOfItsRowAndTakesItsNames() {
    long first = insert(2);
    commit(
        new Change.Delete(first, "id-" + first, Rows.ORIGIN, Row.NONE, failed("boom", NOW), null),
        delete(first + 1));
    Found found = all().getFirst();
    assertThat(all()).hasSize(1);
    assertThat(found.id()).isEqualTo("id-" + first);
    assertThat(found.application()).isEqualTo("app");
    assertThat(found.origin()).isEqualTo(Rows.ORIGIN);
    assertThat(found.receivedAt()).isEqualTo(Rows.pending(1).activation().receivedAt());
    assertThat(found.task().outcome()).isEqualTo(Outcome.FAILED);
    assertThat(found.task().message()).isEqualTo("boom");
    assertThat(found.task().firstId()).isEqualTo("first");
    assertThat(found.task().deliveredAt()).isEqualTo(NOW - 5);
    assertThat(found.task().deliveries()).isEqualTo(3);
    assertThat(found.task().worker()).isEqualTo("worker-1");
    assertThat(found.task().history()).containsExactly(1, 2, 3);
  }

  @Test
  void rowThatIsGoneLeavesNoRecordAndARepeatedBatchLeavesOne() {
    long first = insert(1);
    var delete =
        new Change.Delete(first, "id-" + first, Rows.ORIGIN, Row.NONE, failed("x", NOW), null);
    var once = new WriteBatch(++batch, List.of(delete));
    store.commit(once);
    store.commit(once);
    assertThat(store.commit(new WriteBatch(++batch, List.of(delete))))
        .containsExactly(ChangeOutcome.MISSING);
    assertThat(all()).hasSize(1);
  }

  @Test
  void recordThatWasAskedForIsFoundByIdWithItsResult() {
    long first = insert(2);
    byte[] result = "42".getBytes(UTF_8);
    var record =
        new FinishedTask(
            Outcome.COMPLETED, "", NOW, NOW, NOW + HOUR, 1, "", "", result, new byte[0], true);
    commit(
        new Change.Delete(first, "id-" + first, Rows.ORIGIN, Row.NONE, record, null),
        finish(first + 1, NOW));
    reopen();
    FinishedTask found = store.finished("id-" + first).orElseThrow();
    assertThat(found.outcome()).isEqualTo(Outcome.COMPLETED);
    assertThat(found.result()).isEqualTo(result);
    assertThat(store.finished("id-" + (first + 1))).as("not asked for").isEmpty();
    assertThat(all().getLast().resultBytes()).isEqualTo(2);
  }

  @Test
  void recordsGoWhenTheyAreOutOfDate() {
    long first = insert(2);
    commit(finish(first, NOW));
    commit(finish(first + 1, NOW + HOUR / 2));
    store.maintain(NOW + HOUR);
    assertThat(ids()).containsExactly("id-" + (first + 1), "id-" + first);
    store.maintain(NOW + HOUR + 1);
    assertThat(ids()).containsExactly("id-" + (first + 1));
    store.maintain(NOW + 2 * HOUR);
    assertThat(ids()).isEmpty();
  }

  @Test
  void oldestRecordsGoBeyondTheLimit() {
    int rounds = 60;
    for (int i = 0; i < rounds; i++) {
      long from = insert(100);
      List<Change> ends = new ArrayList<>();
      for (long each = from; each < from + 100; each++) {
        ends.add(finish(each, NOW));
      }
      commit(ends.toArray(Change[]::new));
    }
    List<Found> left = all();
    long bytes = left.stream().mapToLong(found -> failed("", NOW).bytes()).sum();
    assertThat(bytes).isBetween(MAX_BYTES / 2, MAX_BYTES + MAX_BYTES / 8 + 100_000);
    assertThat(left.getFirst().id()).isEqualTo("id-" + key);
  }

  @Test
  void searchSelectsAndGoesOnWithItsCursor() {
    long first = insert(10);
    for (int i = 0; i < 10; i++) {
      String message = i % 2 == 0 ? "Timeout of the Bank" : "";
      commit(
          new Change.Delete(
              first + i,
              "id-" + (first + i),
              Rows.ORIGIN,
              Row.NONE,
              failed(message, NOW + i),
              null));
    }
    assertThat(search(query(Position.START, Optional.of("OF THE BANK"), 100))).hasSize(5);
    List<String> found = new ArrayList<>();
    Optional<Position> next = Optional.of(Position.START);
    while (next.isPresent()) {
      FinishedPage page = browser.finished(query(next.get(), Optional.empty(), 3));
      page.records().forEach(record -> found.add(record.id()));
      next = page.next();
    }
    assertThat(found).hasSize(10).doesNotHaveDuplicates();
    assertThat(found.getFirst()).isEqualTo("id-" + (first + 9));
    assertThat(browser.finished(FinishedQuery.ofId("first", Position.START, WITHIN)).records())
        .as("by the id of the first attempt")
        .hasSize(1);
    var later =
        new FinishedQuery(
            Position.START,
            Optional.empty(),
            Optional.of("app"),
            Optional.of(Rows.pending(1).activation().namespace()),
            Optional.of(Rows.pending(1).activation().taskname()),
            Optional.of(Outcome.FAILED),
            NOW + 7,
            NOW + 9,
            Optional.empty(),
            100,
            WITHIN);
    assertThat(search(later)).hasSize(2);
  }

  private long insert(int rows) {
    long first = key + 1;
    Change[] inserts = new Change[rows];
    for (int i = 0; i < rows; i++) {
      inserts[i] = new Change.Insert(Rows.pending(++key), null);
    }
    commit(inserts);
    return first;
  }

  private static Change finish(long row, long endedAt) {
    return new Change.Delete(row, "id-" + row, Rows.ORIGIN, Row.NONE, failed("", endedAt), null);
  }

  private static Change delete(long row) {
    return new Change.Delete(row, "id-" + row, Rows.ORIGIN, Row.NONE, null);
  }

  private static FinishedTask failed(String message, long endedAt) {
    return new FinishedTask(
        Outcome.FAILED,
        "first",
        endedAt - 5,
        endedAt,
        endedAt + HOUR,
        3,
        "worker-1",
        message,
        null,
        new byte[] {1, 2, 3},
        false);
  }

  private void commit(Change... changes) {
    assertThat(store.commit(new WriteBatch(++batch, List.of(changes))))
        .containsOnly(ChangeOutcome.APPLIED);
  }

  private void reopen() {
    browser.close();
    store.close();
    store = open();
    browser = browser(store);
    batch = 0;
  }

  private static FinishedQuery query(Position before, Optional<String> message, int limit) {
    return new FinishedQuery(
        before,
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        message,
        limit,
        WITHIN);
  }

  private List<Found> search(FinishedQuery query) {
    return browser.finished(query).records();
  }

  private List<Found> all() {
    List<Found> found = new ArrayList<>();
    Optional<Position> next = Optional.of(Position.START);
    while (next.isPresent()) {
      FinishedPage page = browser.finished(query(next.get(), Optional.empty(), 1_000));
      found.addAll(page.records());
      next = page.next();
    }
    return found;
  }

  private List<String> ids() {
    return all().stream().map(Found::id).toList();
  }
}
