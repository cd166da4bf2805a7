package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.delete;
import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Restarts of the server while a broker commits.
@Timeout(240)
final class PostgresRestartTest {
  @Test
  void h06EachBatchIsCommittedOnceAcrossRestartsOfTheServer() {
    try (PostgresServer server = PostgresServer.start(Map.of());
        PostgresStore store = PostgresStore.open(PostgresSetup.options(server.newDatabase()))) {
      store.take(partition(0), 1);
      AtomicBoolean enough = new AtomicBoolean();
      AtomicInteger batches = new AtomicInteger();
      AtomicInteger failures = new AtomicInteger();
      CompletableFuture<List<Long>> commits =
          ConnectionGate.meanwhile(() -> commitUntil(store, enough, batches, failures));
      for (int restart = 0; restart < 2; restart++) {
        awaitMore(batches, 50);
        server.stop();
        awaitMore(failures, 1);
        server.startAgain();
      }
      awaitMore(batches, 50);
      enough.set(true);
      assertThat(store.load(0, 10_000))
          .extracting(Row::key)
          .containsExactlyElementsOf(commits.join());
      // The size of a row whose delete committed with a lost reply is unknown, so the row stays in
      // the sum: at most one per restart.
      int rows = commits.join().size();
      assertThat(store.size()).isBetween(253L * rows, 253L * (rows + 2));
    }
  }

  /// @return the keys of the rows that must remain
  private static List<Long> commitUntil(
      PostgresStore store, AtomicBoolean enough, AtomicInteger batches, AtomicInteger failures) {
    List<Long> remaining = new ArrayList<>();
    long key = store.lastKey();
    for (int number = 1; !enough.get(); number++) {
      List<Change> changes = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        changes.add(insert(++key, 0));
        remaining.add(key);
      }
      if (number % 2 == 0) {
        changes.add(delete(remaining.removeFirst(), 0));
      }
      WriteBatch batch = new WriteBatch(number, changes);
      List<ChangeOutcome> outcomes = List.of();
      while (outcomes.isEmpty()) {
        try {
          outcomes = store.commit(batch);
        } catch (StoreException e) {
          assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
          failures.incrementAndGet();
        }
      }
      assertThat(outcomes).containsOnly(ChangeOutcome.APPLIED);
      batches.incrementAndGet();
    }
    return remaining;
  }

  private static void awaitMore(AtomicInteger count, int more) {
    int before = count.get();
    Awaitility.await().until(() -> count.get() >= before + more);
  }
}
