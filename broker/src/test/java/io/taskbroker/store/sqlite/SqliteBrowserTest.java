package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.BrowserContract;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.Rows;
import io.taskbroker.store.WriteBatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SqliteBrowserTest extends BrowserContract {
  private static final int PAGE = 5_000;
  private static final int COMMITS = 300;
  private static final Duration WITHIN = Duration.ofSeconds(5);

  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
  }

  @Override
  protected RowBrowser browser(ActivationStore store) {
    return ((SqliteStore) store).browser();
  }

  /// A search with no time reads no row, so it is complete only if it needs none.
  @Test
  void whatNoRowHasIsNotLookedForInTheDatabase() {
    assertThat(isAnsweredUnread(named("none", "task-1"))).isTrue();
    assertThat(isAnsweredUnread(named("usual", "none"))).isTrue();
    assertThat(isAnsweredUnread(named("rare", "task-1"))).isFalse();
  }

  /// What rows have is learned while they are loaded.
  @Test
  void whatNoRowHasIsKnownOnceRowsAreLoaded() {
    close();
    reopen();
    RowBrowser.Query none = named("none", "task-1");
    assertThat(isAnsweredUnread(none)).isFalse();

    List<Row> rows = store().load(Row.NONE, PAGE);
    while (!rows.isEmpty()) {
      rows = store().load(rows.getLast().key(), PAGE);
    }
    assertThat(isAnsweredUnread(none)).isFalse();
    List<ParkedRow> parked = store().loadParked(Row.NONE, PAGE);
    while (!parked.isEmpty()) {
      parked = store().loadParked(parked.getLast().key(), PAGE);
    }
    assertThat(isAnsweredUnread(none)).isTrue();
    assertThat(isAnsweredUnread(named("rare", "task-1"))).isFalse();
  }

  /// A row is found by its name as soon as its commit has returned.
  @Test
  void aSearchSeesWhatWasCommittedBefore() throws Exception {
    var committed = new AtomicInteger(-1);
    List<String> missed = new CopyOnWriteArrayList<>();
    long firstKey = store().lastKey() + 1;
    var reading =
        new Thread(() -> {
          while (committed.get() < COMMITS - 1) {
            int latest = committed.get();
            String name = "new-" + latest;
            if (latest >= 0
                && browser().browse(named("namespace", name, WITHIN)).rows().isEmpty()) {
              missed.add(name);
            }
          }
        });
    reading.start();
    try {
      for (int i = 0; i < COMMITS; i++) {
        Activation activation = activation("new-" + i);
        Row row = Row.arriving(firstKey + i, activation, Status.PENDING, Rows.NOW);
        var insert = new Change.Insert(i % 2 == 0 ? row : row.parkedUntil(Rows.NOW), null);
        store().commit(new WriteBatch(1_000 + i, List.of(insert)));
        committed.set(i);
      }
    } finally {
      committed.set(COMMITS - 1);
      reading.join();
    }
    assertThat(missed).isEmpty();
  }

  private static Activation activation(String taskname) {
    return new Activation(
        taskname,
        "app",
        "namespace",
        taskname,
        new byte[0],
        Rows.ORIGIN,
        Rows.NOW,
        Activation.NEVER,
        0,
        30,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  private boolean isAnsweredUnread(RowBrowser.Query query) {
    return browser().browse(query).next().isEmpty();
  }

  private static RowBrowser.Query named(String namespace, String taskname) {
    return named(namespace, taskname, Duration.ZERO);
  }
}
