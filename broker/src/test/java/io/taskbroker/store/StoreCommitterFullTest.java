package io.taskbroker.store;

import static io.taskbroker.store.Changes.advanceWatermark;
import static io.taskbroker.store.Changes.delete;
import static io.taskbroker.store.Changes.forward;
import static io.taskbroker.store.Changes.insert;
import static io.taskbroker.store.Changes.insertParked;
import static io.taskbroker.store.Changes.offsetCommitted;
import static io.taskbroker.store.Changes.query;
import static io.taskbroker.store.Changes.updateStatus;
import static io.taskbroker.store.ScriptedStore.failing;
import static io.taskbroker.store.ScriptedStore.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.runtime.Failures;
import io.taskbroker.runtime.ManualTicker;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.store.StoreException.Kind;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// H12: a store that is full or rejects data blocks neither changes that free space nor valid
/// changes. Time stands still unless a test advances it.
@Timeout(240)
final class StoreCommitterFullTest {
  private final ManualTicker ticker = new ManualTicker();
  private final ScriptedStore store = new ScriptedStore();
  private final RecordingListener listener = new RecordingListener();
  private final Failures failures = new Failures();
  private final StoreCommitter committer =
      new StoreCommitter(
          store,
          CommitOptions.defaults().grouped(4_096, Duration.ZERO),
          listener,
          failures,
          new SystemContext(ticker, InstantSource.system(), RandomGenerator.getDefault()));

  @AfterEach
  void stop() {
    store.always = _ -> {};
    committer.stop();
    assertThat(failures.all()).isEmpty();
    assertThat(listener.committed).containsExactlyElementsOf(store.committed);
  }

  @Test
  void h12FullStoreCommitsDeletesUpdatesAndForwardsFirst() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(
        List.of(insert(1), updateStatus(2), advanceWatermark(3), delete(4), forward(5), insert(6)),
        List.of());
    listener.awaitCommitted(3);
    committer.submit(List.of(insert(7), delete(8), offsetCommitted(9)), List.of());
    listener.awaitCommitted(4);
    committer.submit(List.of(advanceWatermark(10)), List.of());
    committer.submit(List.of(delete(11)), List.of());
    listener.awaitCommitted(5);
    assertThat(listener.committed)
        .containsExactly(updateStatus(2), delete(4), forward(5), delete(8), delete(11));
    await().until(() -> !committer.hasWork());

    retryHeldChanges();
    assertThat(listener.committed).hasSize(5);
    store.always = _ -> {};
    retryHeldChanges();
    listener.awaitCommitted(11);
    assertThat(listener.committed.subList(5, 11))
        .containsExactly(
            insert(1),
            advanceWatermark(3),
            insert(6),
            insert(7),
            offsetCommitted(9),
            advanceWatermark(10));
    await().until(() -> !committer.hasWork());
    committer.submit(List.of(insert(12), delete(13)), List.of());
    listener.awaitCommitted(13);
    assertThat(listener.groups.getLast()).as("one transaction again").hasSize(2);
  }

  @Test
  void h12NoChangeOvertakesTheInsertOfItsRow() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1), insert(2), delete(3)), List.of());
    listener.awaitCommitted(1);
    committer.submit(List.of(delete(1), delete(4)), List.of());
    listener.awaitCommitted(2);
    assertThat(listener.committed).containsExactly(delete(3), delete(4));
    store.always = _ -> {};
    retryHeldChanges();
    listener.awaitCommitted(5);
    assertThat(listener.committed.subList(2, 5)).containsExactly(insert(1), insert(2), delete(1));
  }

  /// The delete of the first row frees the space for the other.
  @Test
  void h12DeleteDoesNotWaitForInsertsOfOtherRows() {
    store.always =
        fullFor(change -> change.equals(insert(2)) && !listener.committed.contains(delete(1)));
    committer.start();
    committer.submit(List.of(insert(1), insert(2)), List.of());
    whileTimePasses(() -> listener.committed.contains(insert(1)));
    committer.submit(List.of(delete(1)), List.of());
    whileTimePasses(() -> listener.committed.size() == 3);
    assertThat(listener.committed).containsExactly(insert(1), delete(1), insert(2));
  }

  @Test
  void h12SpaceForAFewChangesIsUsed() {
    store.always =
        batch -> {
          if (batch.changes().size() > 1) {
            throw failure(Kind.FULL);
          }
        };
    committer.start();
    List<Change> changes =
        List.of(
            insert(1), insert(2), advanceWatermark(3), insert(4), insert(5), advanceWatermark(6));
    committer.submit(changes, List.of());
    whileTimePasses(() -> listener.committed.size() == 6);
    assertThat(listener.committed).containsExactlyElementsOf(changes);
  }

  @Test
  void h12HeldChangesCommitWhileDeletesKeepComing() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1), delete(2)), List.of());
    listener.awaitCommitted(1);
    store.always = _ -> {};
    committer.submit(List.of(delete(3)), List.of());
    listener.awaitCommitted(2);
    ticker.advance(Duration.ofSeconds(2));
    committer.submit(List.of(delete(4)), List.of());
    listener.awaitCommitted(4);
    assertThat(listener.committed).contains(insert(1));
  }

  @Test
  void h12DeletesThatNeedSpaceCommitInSmallerTransactions() {
    store.always =
        batch -> {
          if (batch.changes().size() > 2) {
            throw failure(Kind.FULL);
          }
        };
    committer.start();
    List<Change> changes = List.of(delete(1), updateStatus(2), delete(3), forward(4), delete(5));
    committer.submit(changes, List.of());
    listener.awaitCommitted(5);
    assertThat(listener.committed).containsExactlyElementsOf(changes);
  }

  @Test
  void h12DeleteWithoutSpaceIsRetried() {
    store.always = failing(Kind.FULL);
    committer.start();
    committer.submit(List.of(delete(1), delete(2), insert(3)), List.of());
    whileTimePasses(() -> store.attempts.size() > 20);
    assertThat(listener.committed).isEmpty();
    store.always = _ -> {};
    whileTimePasses(() -> listener.committed.size() == 3);
    assertThat(listener.committed).containsExactly(delete(1), delete(2), insert(3));
  }

  @Test
  void h12ForwardWithoutSpaceDoesNotBlockDeletesOfOtherRows() {
    store.always = fullFor(change -> change.equals(forward(1)) || Changes.needsSpace(change));
    committer.start();
    committer.submit(List.of(forward(1), delete(2)), List.of(query("app")));
    listener.awaitCommitted(1);
    committer.submit(List.of(delete(1), insert(3), delete(4)), List.of());
    listener.awaitCommitted(2);
    assertThat(listener.committed).containsExactly(delete(2), delete(4));
    // Nor does it block a page: forwarded rows are not in the index of parked rows.
    assertThat(listener.reads).containsExactly(new RecordingListener.Read(query("app"), 1));
    store.always = _ -> {};
    retryHeldChanges();
    listener.awaitCommitted(5);
    assertThat(listener.committed.subList(2, 5)).containsExactly(forward(1), delete(1), insert(3));
    committer.submit(List.of(updateStatus(1)), List.of());
    listener.awaitCommitted(6);
  }

  @Test
  void h12FullStoreIsReadUnlessThePageWouldMissARow() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(
        List.of(insertParked(1, "held"), insert(2), delete(3)),
        List.of(query("held"), query("free")));
    listener.awaitReads(1);
    assertThat(listener.reads).containsExactly(new RecordingListener.Read(query("free"), 1));
    store.always = _ -> {};
    retryHeldChanges();
    listener.awaitReads(2);
    assertThat(listener.reads.getLast()).isEqualTo(new RecordingListener.Read(query("held"), 3));
  }

  @Test
  void h12OffendersAreRejectedAndTheRestIsCommittedInOrder() {
    store.always = dataFor(List.of(insert(5), delete(9)));
    committer.start();
    committer.submit(
        List.of(
            insert(1),
            insert(2),
            delete(3),
            insert(4),
            insert(5),
            advanceWatermark(6),
            updateStatus(7),
            insert(8),
            delete(9),
            advanceWatermark(10),
            insert(11)),
        List.of(query("app")));
    listener.awaitReads(1);
    assertThat(listener.rejected).containsExactly(insert(5), delete(9));
    assertThat(listener.committed)
        .containsExactly(
            insert(1),
            insert(2),
            delete(3),
            insert(4),
            advanceWatermark(6),
            updateStatus(7),
            insert(8),
            advanceWatermark(10),
            insert(11));
    assertThat(listener.reads).containsExactly(new RecordingListener.Read(query("app"), 9));
    assertThat(store.attempts)
        .extracting(WriteBatch::number)
        .as("distinct batches have distinct numbers")
        .doesNotHaveDuplicates();
  }

  @Test
  void h12g1RejectedInsertIsReplacedBeforeTheWatermarkBehindIt() {
    listener.replaces = true;
    store.always = dataFor(List.of(insert(2)));
    committer.start();
    committer.submit(List.of(insert(1), insert(2), insert(3), advanceWatermark(4)), List.of());
    listener.awaitCommitted(4);
    assertThat(listener.refused.getFirst().insert()).isEqualTo(insert(2));
    Change.Insert message = listener.refused.getFirst().replacement("dead-letters").orElseThrow();
    assertThat(listener.committed)
        .containsExactly(insert(1), message, insert(3), advanceWatermark(4));
    assertThat(store.committed).isEqualTo(listener.committed);
    assertThat(listener.rejected).isEmpty();
  }

  @Test
  void h12g1RejectedHeldInsertIsReplacedBeforeTheWatermarkBehindIt() {
    listener.replaces = true;
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1), insert(2), advanceWatermark(3), delete(4)), List.of());
    listener.awaitCommitted(1);
    store.always = dataFor(List.of(insert(1)));
    retryHeldChanges();
    whileTimePasses(() -> listener.committed.size() == 4);
    Change.Insert message = listener.refused.getFirst().replacement("dead-letters").orElseThrow();
    assertThat(listener.committed)
        .containsExactly(delete(4), message, insert(2), advanceWatermark(3));
    assertThat(listener.rejected).isEmpty();
  }

  @Test
  void h12ReplacementThatFailsTooIsRejected() {
    listener.replaces = true;
    Change.Insert message =
        new RejectedInsert((Change.Insert) insert(1), "scripted: DATA")
            .replacement("dead-letters")
            .orElseThrow();
    store.always = dataFor(List.of(insert(1), message));
    committer.start();
    committer.submit(List.of(insert(1), advanceWatermark(2)), List.of());
    listener.awaitCommitted(1);
    assertThat(listener.rejected).containsExactly(message);
    assertThat(listener.committed).containsExactly(advanceWatermark(2));
  }

  @Test
  void h12OffenderAmongHeldChangesIsRejected() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(
        List.of(insert(1), insert(2), insert(3), insert(4), advanceWatermark(5), delete(6)),
        List.of());
    listener.awaitCommitted(1);
    store.always = dataFor(List.of(insert(3)));
    retryHeldChanges();
    whileTimePasses(() -> listener.committed.size() == 5);
    assertThat(listener.rejected).containsExactly(insert(3));
    assertThat(listener.committed)
        .containsExactly(delete(6), insert(1), insert(2), insert(4), advanceWatermark(5));
  }

  @Test
  void h06HeldBatchWithUnknownOutcomeIsRetriedFirst() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    await().until(() -> store.attempts.size() == 1);
    store.always = _ -> {};
    store.commitsDespiteFailure = true;
    for (int i = 0; i < 10_000; i++) {
      store.script.add(failing(Kind.TRANSIENT));
    }
    retryHeldChanges();
    await().until(() -> store.committed.size() == 1); // unknown to the committer
    committer.submit(List.of(delete(2)), List.of());
    retryHeldChanges();
    retryHeldChanges();
    assertThat(listener.committed).isEmpty();
    store.script.clear();
    whileTimePasses(() -> listener.committed.size() == 2);
    WriteBatch held = new WriteBatch(2, List.of(insert(1)));
    assertThat(store.attempts.subList(1, store.attempts.size() - 1))
        .hasSizeGreaterThan(3)
        .allMatch(held::equals);
    assertThat(store.attempts.getLast()).isEqualTo(new WriteBatch(3, List.of(delete(2))));
    assertThat(store.committed).as("once").containsExactly(insert(1), delete(2));
  }

  @Test
  void stopOfAFullStoreCommitsWhatItCanAndReportsTheRest() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1), delete(2)), List.of());
    listener.awaitCommitted(1);
    committer.submit(List.of(delete(3)), List.of());
    assertThatThrownBy(committer::stop)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("full");
    assertThat(listener.committed).containsExactly(delete(2), delete(3));
  }

  @Test
  void stopTriesHeldChangesOnceMore() {
    store.always = fullFor(Changes::needsSpace);
    committer.start();
    committer.submit(List.of(insert(1), delete(2)), List.of());
    listener.awaitCommitted(1);
    store.always = _ -> {};
    committer.stop();
    assertThat(listener.committed).containsExactly(delete(2), insert(1));
  }

  /// Advances time until the committer has retried the held changes.
  private void retryHeldChanges() {
    int attempts = store.attempts.size();
    whileTimePasses(() -> store.attempts.size() > attempts);
  }

  private void whileTimePasses(Callable<Boolean> condition) {
    await()
        .pollInterval(Duration.ofMillis(1))
        .until(() -> {
          ticker.advance(Duration.ofMillis(500));
          return condition.call();
        });
  }

  private static Consumer<WriteBatch> fullFor(Predicate<Change> needsSpace) {
    return batch -> {
      if (batch.changes().stream().anyMatch(needsSpace)) {
        throw failure(Kind.FULL);
      }
    };
  }

  private static Consumer<WriteBatch> dataFor(List<Change> offenders) {
    return batch -> {
      if (batch.changes().stream().anyMatch(offenders::contains)) {
        throw failure(Kind.DATA);
      }
    };
  }
}
