package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.RowBrowser.Found;
import io.taskbroker.store.RowBrowser.Page;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.store.RowBrowser.Query;
import io.taskbroker.store.RowBrowser.StatusAt;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Search of rows, of any store. `-Dbrowse.rows=1000000` measures it at that size.
public abstract class BrowserContract {
  private static final int ROWS = Integer.getInteger("browse.rows", 20_000);
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
  private static final Duration WITHIN = Duration.ofMillis(800);
  private static final long NOW = 1_700_000_000_000L;
  private static final int RARE = 4_000;

  private ActivationStore store;
  private RowBrowser browser;
  private long first;

  protected abstract ActivationStore open();

  protected abstract RowBrowser browser(ActivationStore store);

  @BeforeEach
  void fill() {
    store = open();
    browser = browser(store);
    first = store.lastKey() + 1;
    long batch = 1;
    List<Change> changes = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      changes.add(new Change.Insert(row(i), null));
      if (changes.size() == 5_000 || i == ROWS - 1) {
        store.commit(new WriteBatch(batch++, changes));
        changes = new ArrayList<>();
      }
    }
  }

  private Row row(int i) {
    Activation activation =
        new Activation(
            "id-" + i,
            i % 2 == 0 ? "even" : "odd",
            i % RARE == 7 ? "rare" : "usual",
            "task-" + i % 3,
            new byte[400],
            Rows.ORIGIN,
            NOW + i,
            Activation.NEVER,
            NOW + 3_600_000,
            10,
            FailurePolicy.DEAD_LETTER,
            false,
            false);
    Row row = Row.arriving(first + i, activation, i % 4 == 0 ? Status.DELAY : Status.PENDING, NOW);
    return i % 10 == 0 ? row : row.parkedUntil(NOW + 3_600_000);
  }

  /// Opens the store again, closed before.
  protected void reopen() {
    store = open();
    browser = browser(store);
  }

  protected ActivationStore store() {
    return store;
  }

  protected RowBrowser browser() {
    return browser;
  }

  @AfterEach
  protected void close() {
    browser.close();
    store.close();
  }

  @Test
  void filtersSelectRows() {
    assertThat(ids(query("id-5", null, null, null, null, null, 10))).containsExactly("id-5");
    assertThat(ids(query("none", null, null, null, null, null, 10))).isEmpty();
    assertThat(ids(query(null, "odd", null, "task-1", null, null, 2)))
        .containsExactly("id-1", "id-7");
    assertThat(ids(query(null, null, null, null, Status.DELAY, true, 2)))
        .containsExactly("id-4", "id-8");
    assertThat(ids(query(null, null, null, null, null, false, 2))).containsExactly("id-0", "id-10");
    Query recent =
        new Query(
            Position.START,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Long.MAX_VALUE,
            Optional.empty(),
            NOW + 100,
            NOW + 102,
            0,
            10,
            WITHIN);
    assertThat(ids(recent)).containsExactly("id-100", "id-101");
  }

  /// Rows that are not parked have a status that only their broker knows.
  @Test
  void parkedRowsThatCannotMatchStayInTheDatabase() {
    assertThat(ids(status(Status.PENDING, NOW, 0))).containsExactly("id-0", "id-1", "id-2", "id-3");
    assertThat(ids(status(Status.DELAY, NOW, 0))).containsExactly("id-0", "id-4", "id-8", "id-10");
    long due = NOW + 3_600_000;
    assertThat(ids(status(Status.PENDING, due, 0))).containsExactly("id-0", "id-1", "id-2", "id-3");
    assertThat(ids(status(Status.DELAY, due, 0)))
        .containsExactly("id-0", "id-10", "id-20", "id-30");
    assertThat(ids(status(Status.PROCESSING, NOW, 0)))
        .containsExactly("id-0", "id-10", "id-20", "id-30");
    assertThat(ids(status(Status.PENDING, NOW, 1)))
        .containsExactly("id-0", "id-10", "id-20", "id-30");
    assertThat(ids(parkedTo(NOW + 3_600_000 - 1)))
        .containsExactly("id-0", "id-10", "id-20", "id-30");
    assertThat(ids(parkedTo(NOW + 3_600_000))).containsExactly("id-0", "id-1", "id-2", "id-3");
  }

  private static Query parkedTo(long time) {
    Query all = Query.all(4, WITHIN);
    return new Query(
        all.after(),
        all.id(),
        all.application(),
        all.namespace(),
        all.taskname(),
        all.status(),
        all.parked(),
        time,
        all.priority(),
        all.receivedFrom(),
        all.receivedTo(),
        0,
        4,
        WITHIN);
  }

  private static Query status(Status status, long at, int attempts) {
    Query all = Query.all(4, WITHIN);
    return new Query(
        all.after(),
        all.id(),
        all.application(),
        all.namespace(),
        all.taskname(),
        Optional.of(new StatusAt(status, at)),
        all.parked(),
        all.parkedTo(),
        all.priority(),
        all.receivedFrom(),
        all.receivedTo(),
        attempts,
        4,
        WITHIN);
  }

  protected static Query named(String namespace, String taskname, Duration within) {
    Query all = Query.all(3, within);
    return new Query(
        all.after(),
        all.id(),
        all.application(),
        Optional.of(namespace),
        Optional.of(taskname),
        all.status(),
        all.parked(),
        all.parkedTo(),
        all.priority(),
        all.receivedFrom(),
        all.receivedTo(),
        0,
        3,
        within);
  }

  @Test
  void rowsComeWithoutPayloadsWhichAreReadAlone() {
    Found found = browser.browse(query("id-5", null, null, null, null, null, 10)).rows().getFirst();
    assertThat(found.row().activation().payload()).isEmpty();
    assertThat(found.payloadBytes()).isEqualTo(400);
    assertThat(found.row().activation().taskname()).isEqualTo("task-2");
    assertThat(browser.payload(found.position()).orElseThrow()).hasSize(400);
    assertThat(browser.payload(new Position(found.position().partitionId(), Long.MAX_VALUE)))
        .isEmpty();
  }

  /// Each page ends in time, and together they have every match once.
  @Test
  void g7PagesOfARareMatchEndInTime() {
    List<String> found = new ArrayList<>();
    walk(query(null, null, "none", null, null, null, 3), found);
    assertThat(found).isEmpty();
    walk(query(null, null, "rare", null, null, null, 3), found);
    assertThat(found).doesNotHaveDuplicates().hasSize((ROWS - 8) / RARE + 1);
  }

  private void walk(Query query, List<String> found) {
    Optional<Position> next = Optional.of(Position.START);
    long begun = System.nanoTime();
    long cpu = THREADS.getCurrentThreadCpuTime();
    long slowest = 0;
    int pages = 0;
    while (next.isPresent()) {
      long started = System.nanoTime();
      Page page = browser.browse(query.from(next.get(), query.limit()));
      slowest = Math.max(slowest, System.nanoTime() - started);
      page.rows().forEach(row -> found.add(row.row().activation().id()));
      next = page.next();
      pages++;
    }
    System.out.printf(
        "%s: %,d rows, %d pages, slowest %.1f ms, together %.1f ms, %.1f ms of CPU here%n",
        getClass().getSimpleName(),
        ROWS,
        pages,
        slowest / 1e6,
        (System.nanoTime() - begun) / 1e6,
        (THREADS.getCurrentThreadCpuTime() - cpu) / 1e6);
    assertThat(Duration.ofNanos(slowest)).isLessThan(WITHIN.multipliedBy(3));
  }

  @Test
  void rowsAreCountedByName() {
    RowGroups groups = browser.groups(Duration.ofMinutes(1));
    assertThat(groups.complete()).isTrue();
    assertThat(groups.others()).isZero();
    assertThat(groups.groups().stream().mapToLong(RowGroups.Group::tasks).sum()).isEqualTo(ROWS);
    assertThat(groups.groups().stream().mapToLong(RowGroups.Group::parked).sum())
        .isEqualTo(ROWS - ROWS / 10);
    assertThat(groups.groups())
        .filteredOn(each -> each.namespace().equals("rare") && each.taskname().equals("task-1"))
        .singleElement()
        .satisfies(each -> assertThat(each.application()).isEqualTo("odd"))
        .satisfies(each -> assertThat(each.oldest()).isEqualTo(NOW + 7));
    assertThat(browser.groups(Duration.ZERO).complete()).isFalse();
  }

  @Test
  void g7NoTimeIsAnEmptyPageThatContinues() {
    Query hurried = named("usual", "task-1", Duration.ZERO);
    Page page = browser.browse(hurried);
    assertThat(page.rows()).isEmpty();
    assertThat(page.next()).isPresent();
  }

  @Test
  void g1SearchDoesNotHoldACommitUp() throws Exception {
    var reading =
        new Thread(() -> {
          while (!Thread.currentThread().isInterrupted()) {
            var _ = browser.browse(query(null, null, "rare", null, null, null, 1_000));
          }
        });
    reading.start();
    try {
      for (int i = 0; i < 50; i++) {
        store.commit(new WriteBatch(1_000 + i, List.of(new Change.Insert(row(ROWS + i), null))));
      }
    } finally {
      reading.interrupt();
      reading.join();
    }
    assertThat(ids(query("id-" + (ROWS + 49), null, null, null, null, null, 1))).hasSize(1);
  }

  private List<String> ids(Query query) {
    return browser.browse(query).rows().stream()
        .map(found -> found.row().activation().id())
        .toList();
  }

  private static Query query(
      @Nullable String id,
      @Nullable String application,
      @Nullable String namespace,
      @Nullable String taskname,
      @Nullable Status status,
      @Nullable Boolean parked,
      int limit) {
    return new Query(
        Position.START,
        Optional.ofNullable(id),
        Optional.ofNullable(application),
        Optional.ofNullable(namespace),
        Optional.ofNullable(taskname),
        Optional.ofNullable(status).map(it -> new StatusAt(it, NOW)),
        Optional.ofNullable(parked),
        Long.MAX_VALUE,
        Optional.empty(),
        Long.MIN_VALUE,
        Long.MAX_VALUE,
        0,
        limit,
        WITHIN);
  }
}
