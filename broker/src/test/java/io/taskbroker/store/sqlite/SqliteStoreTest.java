package io.taskbroker.store.sqlite;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.Rows;
import io.taskbroker.store.StoreContract;
import io.taskbroker.store.WriteBatch;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SqliteStoreTest extends StoreContract {
  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
  }

  @Test
  void firstKeyIsTheSmallestKey() {
    assertThat(store().firstKey()).isEqualTo(Long.MAX_VALUE);
    store()
        .commit(
            new WriteBatch(
                1,
                List.of(
                    new Change.Insert(Rows.pending(3), null),
                    new Change.Insert(Rows.parked(5, "app", NOW), null))));
    assertThat(store().firstKey()).isEqualTo(3);
    store()
        .commit(
            new WriteBatch(2, List.of(new Change.Delete(3, "id-3", Rows.ORIGIN, Row.NONE, null))));
    assertThat(store().firstKey()).isEqualTo(5);
  }

  @Test
  void g7PageOfLargeRowsEndsEarlyAndTheNextContinues() {
    for (int key = 1; key <= 10; key++) {
      var large = Rows.activation("id-" + key, "app", new byte[3 << 20]);
      Row row = Row.arriving(key, large, Status.PENDING, NOW).parkedUntil(NOW + key / 4);
      store().commit(new WriteBatch(key, List.of(new Change.Insert(row, null))));
    }
    var keys = new ArrayList<Long>();
    long due = 0;
    long key = 0;
    while (due != Row.NONE) {
      ParkedPage page = store().due(new ParkedQuery("app", 0, due, key, NOW + 9, 100));
      assertThat(page.rows()).hasSizeBetween(1, 4);
      page.rows().forEach(row -> keys.add(row.key()));
      key = page.rows().getLast().key();
      due = page.nextDue() == Row.NONE ? Row.NONE : page.rows().getLast().parkedUntil();
    }
    assertThat(keys).containsExactlyElementsOf(LongStream.rangeClosed(1, 10).boxed().toList());
  }
}
