package io.taskbroker.store;

import static io.taskbroker.store.Changes.delete;
import static io.taskbroker.store.Changes.insert;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.activation.Change;
import io.taskbroker.runtime.Failures;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Changes submitted while the committer commits: each is durable once, in the order of its
/// submitter, and the committer reports work until the last one (G2, G9).
@Tag("concurrency")
@Timeout(240)
final class StoreCommitterRaceTest {
  private static final int ROUNDS = 10;

  @Test
  void g2ConcurrentSubmissionsKeepOrderAndLoseNothing() {
    Race.of(
        200,
        Committing::new,
        List.of(
            committing -> committing.submit(0),
            committing -> committing.submit(ROUNDS),
            Committing::look),
        Committing::check);
  }

  private static final class Committing {
    private final RecordingListener listener = new RecordingListener();
    private final Failures failures = new Failures();
    private final StoreCommitter committer =
        new StoreCommitter(
            new InMemoryStore(new InMemoryStore.Disk()),
            CommitOptions.defaults(),
            listener,
            failures);

    Committing() {
      committer.start();
    }

    private void submit(int from) {
      for (int key = from + 1; key <= from + ROUNDS; key++) {
        committer.submit(List.of(insert(key)), List.of());
        committer.submit(List.of(delete(key)), List.of());
      }
    }

    /// Observes progress as the watchdog does: it never decreases.
    private void look() {
      long before = 0;
      for (int i = 0; i < 100; i++) {
        long done = committer.done();
        if (done < before) {
          throw new AssertionError(done + " done, after " + before);
        }
        before = done;
        boolean _ = committer.hasWork();
      }
    }

    private void check() {
      committer.stop();
      assertThat(failures.all()).isEmpty();
      assertThat(committer.hasWork()).isFalse();
      assertThat(listener.committed).hasSize(4 * ROUNDS);
      assertThat(listener.committed.stream().filter(change -> key(change) <= ROUNDS))
          .containsExactlyElementsOf(expected(0));
      assertThat(listener.committed.stream().filter(change -> key(change) > ROUNDS))
          .containsExactlyElementsOf(expected(ROUNDS));
    }

    private static List<Change> expected(int from) {
      return LongStream.rangeClosed(from + 1, from + ROUNDS)
          .boxed()
          .flatMap(key -> List.of(insert(key), delete(key)).stream())
          .toList();
    }

    private static long key(Change change) {
      return switch (change) {
        case Change.Insert added -> added.row().key();
        case Change.Delete removed -> removed.key();
        default -> throw new AssertionError(change);
      };
    }
  }
}
