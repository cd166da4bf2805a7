package io.taskbroker.store;

import static io.taskbroker.store.Changes.delete;
import static io.taskbroker.store.Changes.insert;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Outcomes of changes reach the listener of the committer.
final class StoreCommitterOutcomesTest {
  private final RecordingListener listener = new RecordingListener();
  private final StoreCommitter committer =
      new StoreCommitter(
          new InMemoryStore(new InMemoryStore.Disk()),
          CommitOptions.defaults(),
          listener,
          (stage, cause) -> {
            throw new AssertionError(stage, cause);
          });

  @Test
  void outcomesAreGivenInTheOrderOfTheChanges() {
    commit(insert(1), insert(1), delete(1), delete(1));
    assertThat(listener.committed).hasSize(4);
    assertThat(listener.outcomes)
        .containsExactly(
            List.of(
                ChangeOutcome.APPLIED,
                ChangeOutcome.DUPLICATE,
                ChangeOutcome.APPLIED,
                ChangeOutcome.MISSING));
  }

  @Test
  void noOutcomesAreGivenIfAllWereApplied() {
    commit(insert(1), insert(2), delete(1));
    assertThat(listener.committed).hasSize(3);
    assertThat(listener.outcomes).containsExactly(List.of());
  }

  private void commit(Change... changes) {
    committer.start();
    committer.submit(List.of(changes), List.of());
    committer.stop();
  }
}
