package io.taskbroker.store.postgres;

import static io.taskbroker.store.postgres.PostgresSetup.insert;
import static io.taskbroker.store.postgres.PostgresSetup.partition;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A server whose data is restored to a state of some transactions ago (docs/adr/0012).
@Timeout(240)
final class PostgresRewindTest {
  @TempDir private Path dir;

  @Test
  void h06CommitWithoutItsPredecessorIsFencedAndTheNextSucceeds() {
    try (PostgresServer server = PostgresServer.start(Map.of());
        Opened opened = new Opened(server.newDatabase())) {
      PostgresStore store = opened.store;
      var rewinds = new AtomicInteger();
      var _ =
          store.watch(
              new PostgresStore.Listener() {
                @Override
                public void wentBack() {
                  rewinds.incrementAndGet();
                }

                @Override
                public void leased(long until, long wallUntil) {}

                @Override
                public void reported(List<RemoteReport> reports) {}
              },
              (_, _) -> {});
      long key = store.lastKey();
      store.take(partition(0), 1);
      store.take(partition(1), 1);
      var last = new RecordIdentity(9, 3, 77);
      store.commit(
          batch(1, insert(key + 1, 0), new Change.AdvanceWatermark(partition(0), 10, last, null)));
      StorePosition kept = store.position();
      server.stop();
      server.rewind(dir.resolve("standby"));
      server.startAgain();
      commit(
          store, batch(2, insert(key + 2, 0), new Change.AdvanceWatermark(partition(0), 20, null)));
      commit(
          store, batch(3, insert(key + 3, 1), new Change.AdvanceWatermark(partition(1), 5, null)));
      StorePosition lost = store.position();
      server.stop();
      server.rewind(dir.resolve("standby"));
      server.startAgain();

      assertThat(commit(store, batch(4, insert(key + 4, 0)))).containsOnly(ChangeOutcome.FENCED);
      assertThat(rewinds).hasValue(1);
      assertThat(commit(store, batch(5, insert(key + 5, 1)))).containsOnly(ChangeOutcome.FENCED);
      assertThat(rewinds).hasValue(1);
      Ownership.Taken taken = store.take(partition(0), 2).orElseThrow();
      assertThat(taken.watermarks()).containsExactly(new Watermark(partition(0), 10, -1, last));
      assertThat(taken.reached()).map(Watermark::next).hasValue(20L);
      assertThat(store.take(partition(0), 2).orElseThrow().reached()).isEmpty();
      assertThat(store.take(partition(1), 2).orElseThrow().reached())
          .map(Watermark::next)
          .hasValue(5L);
      assertThat(store.load(partition(0), 0, 10)).extracting(Row::key).containsExactly(key + 1);
      assertThat(commit(store, batch(6, insert(key + 6, 0)))).containsOnly(ChangeOutcome.APPLIED);
      try (PostgresStore next = PostgresStore.open(PostgresSetup.options(opened.database))) {
        assertThat(next.lacks(kept)).isFalse();
        assertThat(next.lacks(new StorePosition(lost.epoch(), 7))).isTrue();
        assertThat(next.lacks(StorePosition.NONE)).isFalse();
      }
    }
  }

  @Test
  void g3PossiblyDeliveredTasksCountAsHandedOutBeforeATake() {
    try (PostgresServer server = PostgresServer.start(Map.of());
        Opened opened = new Opened(server.newDatabase())) {
      PostgresStore store = opened.store;
      long key = store.lastKey() + 1;
      store.take(partition(0), 1);
      store.commit(batch(1, once(key)));
      assertThat(store.handedOut()).isEqualTo(StorePosition.NONE);
      server.stop();
      server.rewind(dir.resolve("standby"));
      server.startAgain();
      commit(store, batch(2, handOut(key)));
      StorePosition noted = store.position();
      assertThat(store.handedOut()).isEqualTo(noted);
      assertThat(store.lacks(noted)).isFalse();
      commit(store, batch(3, insert(key + 1, 0)));
      assertThat(store.handedOut()).as("unchanged until the next hand-out").isEqualTo(noted);
      server.stop();
      server.rewind(dir.resolve("standby"));
      server.startAgain();
      String status =
          "SELECT status FROM inflight_taskactivations WHERE id = 'id-%d'".formatted(key);
      assertThat(PostgresSetup.query(opened.database, status)).isEqualTo("Pending");

      assertThat(commit(store, batch(4, insert(key + 2, 0)))).containsOnly(ChangeOutcome.FENCED);

      assertThat(PostgresSetup.query(opened.database, status)).isEqualTo("Processing");
      assertThat(store.lacks(noted)).as("missing until a batch is committed").isTrue();
      assertThat(store.lacks(new StorePosition(noted.epoch() + 1, 0))).isTrue();
    }
  }

  private static Change once(long key) {
    Activation usual = PostgresSetup.row(key, 0).activation();
    var once =
        new Activation(
            usual.id(),
            usual.application(),
            usual.namespace(),
            usual.taskname(),
            usual.payload(),
            usual.origin(),
            usual.receivedAt(),
            usual.expiresAt(),
            usual.delayUntil(),
            usual.deadlineSeconds(),
            usual.failurePolicy(),
            true,
            usual.derived());
    return new Change.Insert(Row.arriving(key, once, Status.PENDING, once.receivedAt()), null);
  }

  private static Change handOut(long key) {
    Activation usual = PostgresSetup.row(key, 0).activation();
    long expiry = usual.receivedAt() + 1_000;
    return new Change.UpdateStatus(
        key, usual.id(), usual.origin(), Status.CLAIMED, 0, expiry, Row.NONE, false, true, null);
  }

  private static final class Opened implements AutoCloseable {
    final Database database;
    final PostgresStore store;

    Opened(Database database) {
      this.database = database;
      this.store = PostgresStore.open(PostgresSetup.options(database));
    }

    @Override
    public void close() {
      store.close();
    }
  }

  private static WriteBatch batch(long number, Change... changes) {
    return new WriteBatch(number, List.of(changes));
  }

  /// Commits like the committer: retries until the server answers.
  private static List<ChangeOutcome> commit(PostgresStore store, WriteBatch batch) {
    while (true) {
      try {
        return store.commit(batch);
      } catch (StoreException e) {
        assertThat(e.kind()).isEqualTo(StoreException.Kind.TRANSIENT);
      }
    }
  }
}
