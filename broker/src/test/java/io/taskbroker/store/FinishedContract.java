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
  void recordComesBackAsItWas() {
    long first = insert(2);
    commit(end(first, failed(first, "boom", NOW)), delete(first + 1));
    assertThat(all()).hasSize(1);
    assertThat(all().getFirst().task())
        .usingRecursiveComparison()
        .isEqualTo(failed(first, "boom", NOW));
  }

  @Test
  void repeatedBatchLeavesOneRecord() {
    long first = insert(1);
    var once = new WriteBatch(++batch, List.of(end(first, failed(first, "x", NOW))));
    store.commit(once);
    store.commit(once);
    assertThat(all()).hasSize(1);
  }

  @Test
  void recordThatWasAskedForIsFoundByIdWithItsResult() {
    long first = insert(2);
    byte[] result = "42".getBytes(UTF_8);
    var record =
        new FinishedTask(
            "id-" + first,
            "",
            "app",
            "ns",
            "task",
            Rows.ORIGIN,
            Outcome.COMPLETED,
            NOW,
            Row.NONE,
            NOW,
            NOW + HOUR,
            1,
            "",
            "",
            result,
            new byte[0],
            true);
    commit(end(first, record), finish(first + 1, NOW));
    reopen();
    assertThat(store.finished("id-" + first).orElseThrow())
        .usingRecursiveComparison()
        .isEqualTo(record);
    assertThat(store.finished("id-" + (first + 1))).as("not asked for").isEmpty();
    assertThat(all())
        .filteredOn(found -> found.task().asked())
        .singleElement()
        .satisfies(found -> assertThat(found.resultBytes()).isEqualTo(2))
        .satisfies(found -> assertThat(found.task().result()).isNull());
  }

  /// Postgres cannot hold U+0000.
  @Test
  void h12AnIdThatTheStoreCannotHoldIsNoOutage() {
    try {
      assertThat(store.finished("\0")).isEmpty();
    } catch (StoreException e) {
      assertThat(e.kind()).isEqualTo(StoreException.Kind.DATA);
    }
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
    int rounds = 100;
    for (int i = 0; i < rounds; i++) {
      long from = insert(100);
      List<Change> ends = new ArrayList<>();
      for (long each = from; each < from + 100; each++) {
        ends.add(end(each, failed(each, "x".repeat(200), NOW)));
      }
      commit(ends.toArray(Change[]::new));
    }
    List<Found> left = all();
    long bytes = left.stream().mapToLong(found -> found.task().message().length()).sum();
    assertThat(bytes).isBetween(MAX_BYTES / 2, MAX_BYTES + MAX_BYTES / 8 + 100_000);
    assertThat(left.getFirst().task().id()).isEqualTo("id-" + key);
  }

  @Test
  void searchSelectsAndGoesOnWithItsCursor() {
    long first = insert(10);
    for (int i = 0; i < 10; i++) {
      String message = i % 2 == 0 ? "Timeout of the Bank" : "";
      commit(end(first + i, failed(first + i, message, NOW + i)));
    }
    assertThat(search(query(Position.START, Optional.of("OF THE BANK"), 100))).hasSize(5);
    List<String> found = new ArrayList<>();
    Optional<Position> next = Optional.of(Position.START);
    while (next.isPresent()) {
      FinishedPage page = browser.finished(query(next.get(), Optional.empty(), 3));
      page.records().forEach(record -> found.add(record.task().id()));
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
            Optional.of("ns"),
            Optional.of("task"),
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

  /// End of a row, with a record.
  protected static Change finish(long row) {
    return finish(row, NOW);
  }

  private static Change finish(long row, long endedAt) {
    return end(row, failed(row, "", endedAt));
  }

  private static Change end(long row, FinishedTask record) {
    return new Change.Delete(row, "id-" + row, Rows.ORIGIN, Row.NONE, record, null);
  }

  private static Change delete(long row) {
    return new Change.Delete(row, "id-" + row, Rows.ORIGIN, Row.NONE, null);
  }

  private static FinishedTask failed(long row, String message, long endedAt) {
    return new FinishedTask(
        "id-" + row,
        "first",
        "app",
        "ns",
        "task",
        Rows.ORIGIN,
        Outcome.FAILED,
        endedAt - 3_000,
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
    return all().stream().map(found -> found.task().id()).toList();
  }
}
