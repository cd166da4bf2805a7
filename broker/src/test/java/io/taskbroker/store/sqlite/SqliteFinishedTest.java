package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.FinishedContract;
import io.taskbroker.store.FinishedQuery;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SqliteFinishedTest extends FinishedContract {
  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(
        new SqliteOptions(
            folder.resolve("store.sqlite"), 0, false, SqliteOptions.MAX_VACUUM_PAGES, MAX_BYTES));
  }

  /// H12: deletes make space, and records take some.
  @Test
  void h12FullStoreEndsTasksWithoutRecords() {
    Path file = folder.resolve("full.sqlite");
    try (SqliteStore store = SqliteStore.open(new SqliteOptions(file, 1_000_000));
        RowBrowser reading = store.browser()) {
      store.commit(new WriteBatch(1, List.of(insert(1, 10), insert(2, 1_200_000), insert(3, 10))));
      assertThatThrownBy(() -> store.commit(new WriteBatch(2, List.of(insert(4, 10)))))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(StoreException.Kind.FULL));
      store.commit(new WriteBatch(3, List.of(finish(1), finish(2))));
      assertThat(records(reading)).isEmpty();
      store.commit(new WriteBatch(4, List.of(insert(5, 10))));
      store.commit(new WriteBatch(5, List.of(finish(3))));
      assertThat(records(reading)).containsExactly("id-3");
    }
  }

  private static Change insert(long key, int bytes) {
    var activation = Rows.activation("id-" + key, "app", new byte[bytes]);
    return new Change.Insert(Row.arriving(key, activation, Status.PENDING, Rows.NOW), null);
  }

  private static List<String> records(RowBrowser reading) {
    return Stream.of("id-1", "id-2", "id-3")
        .flatMap(id ->
            reading
                .finished(FinishedQuery.ofId(id, Position.START, Duration.ofSeconds(5)))
                .records()
                .stream())
        .map(found -> found.task().id())
        .toList();
  }

  @Override
  protected RowBrowser browser(ActivationStore opened) {
    return ((SqliteStore) opened).browser();
  }
}
