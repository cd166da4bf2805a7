package io.taskbroker.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Single rows are read behind the earlier changes, with their effect.
@Timeout(240)
final class StoreCommitterRowTest {
  @TempDir private Path dir;

  @Test
  void h19RowIsReadAfterEarlierChangesAreDurable() {
    var answers = new RecordedRows();
    try (var store = SqliteStore.open(new SqliteOptions(dir.resolve("store.sqlite"), 0))) {
      var committer =
          new StoreCommitter(
              store,
              CommitOptions.defaults(),
              answers,
              (stage, cause) -> {
                throw new AssertionError(stage, cause);
              });
      committer.start();
      committer.submit(
          List.of(
              Changes.insert(1),
              Changes.insert(3),
              Changes.forward(3),
              Changes.insertParked(4, "a")),
          List.of(row(1), row(2), row(3), row(4)));
      await().until(() -> answers.rows.size() == 4);
      committer.stop();
    }
    assertThat(answers.rows.get(1L)).map(Row::status).contains(Status.PENDING);
    assertThat(answers.rows.get(2L)).isEmpty();
    assertThat(answers.rows.get(3L)).map(Row::status).contains(Status.RETRY);
    assertThat(answers.rows.get(4L)).as("parked").map(Row::key).contains(4L);
  }

  private static StoreQuery row(long key) {
    return new StoreQuery.Rows(List.of(key), key);
  }

  private static final class RecordedRows implements StoreCommitter.Listener {
    private final Map<Object, Optional<Row>> rows = new ConcurrentHashMap<>();

    @Override
    public void committed(List<Change> changes, List<ChangeOutcome> outcomes) {}

    @Override
    public void fenced(List<Change> changes) {}

    @Override
    public Optional<Change.Insert> replacement(RejectedInsert refusal) {
      return Optional.empty();
    }

    @Override
    public void rejected(Change change, String why) {}

    @Override
    public void parkedRead(ParkedQuery query, ParkedPage page) {}

    @Override
    public void rowsRead(StoreQuery.Rows query, List<Row> found) {
      rows.put(query.owner(), found.stream().findFirst());
    }
  }
}
