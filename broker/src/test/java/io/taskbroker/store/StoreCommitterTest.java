package io.taskbroker.store;

import static io.taskbroker.store.Changes.advanceWatermark;
import static io.taskbroker.store.Changes.delete;
import static io.taskbroker.store.Changes.forward;
import static io.taskbroker.store.Changes.insert;
import static io.taskbroker.store.Changes.query;
import static io.taskbroker.store.Changes.updateStatus;
import static io.taskbroker.store.ScriptedStore.failing;
import static io.taskbroker.store.ScriptedStore.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.runtime.Failures;
import io.taskbroker.runtime.ManualTicker;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.store.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.random.RandomGenerator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Behaviour of a [StoreCommitter] while the store has space and accepts its data; see
/// [StoreCommitterFullTest] for H12. Time stands still unless a test advances it.
@Timeout(240)
final class StoreCommitterTest {
  private static final CommitOptions OPTIONS = CommitOptions.defaults();

  private final ManualTicker ticker = new ManualTicker();
  private final ScriptedStore store = new ScriptedStore();
  private final RecordingListener listener = new RecordingListener();
  private final Failures failures = new Failures();
  private StoreCommitter committer = committer(OPTIONS);

  @AfterEach
  void stop() {
    committer.stop();
  }

  @Test
  void commitsAtOnceAndThenAllPendingChangesInOneTransaction() throws InterruptedException {
    store.hold();
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    assertThat(store.begun().changes()).containsExactly(insert(1));
    committer.submit(List.of(insert(2), advanceWatermark(3)), List.of());
    committer.submit(List.of(updateStatus(1), delete(1)), List.of());
    committer.submit(List.of(forward(2)), List.of());
    store.release(2);
    assertThat(store.begun().changes())
        .containsExactly(insert(2), advanceWatermark(3), updateStatus(1), delete(1), forward(2));
    listener.awaitCommitted(6);
    assertThat(listener.groups)
        .containsExactly(List.of(insert(1)), store.attempts.get(1).changes());
    assertThat(store.attempts).extracting(WriteBatch::number).containsExactly(1L, 2L);
  }

  @Test
  void transactionIsBounded() throws InterruptedException {
    committer = committer(OPTIONS.grouped(3, Duration.ZERO));
    store.hold();
    committer.start();
    committer.submit(List.of(delete(0)), List.of());
    store.begun();
    List<Change> deletes = LongStream.range(1, 8).<Change>mapToObj(Changes::delete).toList();
    committer.submit(deletes, List.of());
    store.release(10);
    listener.awaitCommitted(8);
    assertThat(listener.groups).extracting(List::size).containsExactly(1, 3, 3, 1);
    assertThat(store.committed).startsWith(delete(0)).endsWith(deletes.toArray(Change[]::new));
  }

  @Test
  void h01RecordAndWatermarkBehindItShareATransaction() throws InterruptedException {
    committer = committer(OPTIONS.grouped(2, Duration.ZERO));
    store.hold();
    committer.start();
    committer.submit(List.of(delete(0)), List.of());
    store.begun();
    committer.submit(
        List.of(insert(1), insert(2), insert(3), advanceWatermark(4), delete(1), delete(2)),
        List.of());
    store.release(10);
    listener.awaitCommitted(7);
    assertThat(listener.groups)
        .containsExactly(
            List.of(delete(0)),
            List.of(insert(1), insert(2), insert(3), advanceWatermark(4)),
            List.of(delete(1), delete(2)));
  }

  @Test
  void submittedListsAreCopied() throws InterruptedException {
    store.hold();
    committer.start();
    List<Change> changes = new ArrayList<>(List.of(insert(1)));
    List<ActivationStore.ParkedQuery> queries = new ArrayList<>(List.of(query("a")));
    committer.submit(changes, List.of());
    store.begun();
    changes.set(0, insert(2));
    committer.submit(changes, queries);
    changes.clear();
    queries.clear();
    store.release(2);
    listener.awaitReads(1);
    assertThat(store.committed).containsExactly(insert(1), insert(2));
  }

  @Test
  void listenersKeepTheirLists() {
    committer.start();
    committer.submit(inserts(0, 3), List.of());
    listener.awaitCommitted(3);
    List<Change> group = listener.groups.getFirst();
    committer.submit(inserts(3, 9), List.of());
    listener.awaitCommitted(9);
    assertThat(group).containsExactlyElementsOf(inserts(0, 3));
  }

  @Test
  void readsFollowTheChangesSubmittedBefore() throws InterruptedException {
    store.hold();
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    store.begun();
    committer.submit(List.of(insert(2)), List.of(query("a"), query("b")));
    committer.submit(List.of(), List.of(query("c")));
    store.release(1);
    store.begun();
    assertThat(listener.reads).isEmpty();
    store.release(1);
    listener.awaitReads(3);
    assertThat(listener.reads)
        .containsExactly(
            new RecordingListener.Read(query("a"), 2),
            new RecordingListener.Read(query("b"), 2),
            new RecordingListener.Read(query("c"), 2));
    assertThat(store.attempts).hasSize(2);
  }

  @Test
  void failedReadIsRetried() {
    List<String> tries = new ArrayList<>();
    store.beforeDue =
        () -> {
          tries.add("due");
          if (tries.size() < 3) {
            throw failure(Kind.TRANSIENT);
          }
        };
    committer.start();
    committer.submit(List.of(insert(1)), List.of(query("a")));
    awaitWhileTimePasses(() -> !listener.reads.isEmpty());
    assertThat(store.attempts).as("committed only once").hasSize(1);
    assertThat(listener.committed).containsExactly(insert(1));
  }

  @Test
  void h06BatchIsRetriedUnderTheSameNumberUntilItsOutcomeIsKnown() throws InterruptedException {
    store.commitsDespiteFailure = true;
    store.hold();
    for (int i = 0; i < 3; i++) {
      store.script.add(failing(Kind.TRANSIENT));
    }
    committer.start();
    committer.submit(List.of(insert(1), advanceWatermark(2)), List.of());
    store.begun();
    committer.submit(List.of(delete(1)), List.of());
    store.release(10);
    awaitWhileTimePasses(() -> listener.committed.size() == 3);
    assertThat(store.attempts).extracting(WriteBatch::number).containsExactly(1L, 1L, 1L, 1L, 2L);
    assertThat(store.attempts.subList(0, 4))
        .allMatch(batch -> batch.changes().equals(List.of(insert(1), advanceWatermark(2))));
    assertThat(store.committed)
        .as("once")
        .containsExactly(insert(1), advanceWatermark(2), delete(1));
    assertThat(listener.groups)
        .containsExactly(List.of(insert(1), advanceWatermark(2)), List.of(delete(1)));
    assertThat(failures.all()).isEmpty();
  }

  @Test
  void h06NothingIsReportedWhileTheOutcomeOfABatchIsUnknown() {
    store.always = failing(Kind.TRANSIENT);
    committer.start();
    committer.submit(List.of(insert(1)), List.of(query("a")));
    awaitWhileTimePasses(() -> store.attempts.size() >= 50);
    assertThat(listener.committed).isEmpty();
    assertThat(listener.reads).isEmpty();
    assertThat(committer.hasWork()).isTrue();
    assertThat(committer.done()).isZero();
    store.always = _ -> {};
    awaitWhileTimePasses(() -> !listener.reads.isEmpty());
    assertThat(store.attempts).allMatch(batch -> batch.number() == 1);
  }

  @Test
  void fatalFailureOfTheStoreIsReported() throws InterruptedException {
    assertEnds(failure(Kind.FATAL), () -> store.script.add(failing(Kind.FATAL)));
  }

  @Test
  void unexpectedExceptionOfTheStoreIsReported() throws InterruptedException {
    IllegalStateException bug = new IllegalStateException("a bug");
    assertEnds(
        bug,
        () ->
            store.script.add(_ -> {
              throw bug;
            }));
  }

  @Test
  void rowsThatCannotBeReadAreReported() throws InterruptedException {
    StoreException unreadable = failure(Kind.DATA);
    assertEnds(
        unreadable,
        () ->
            store.beforeDue =
                () -> {
                  throw unreadable;
                });
  }

  private void assertEnds(Throwable cause, Runnable trouble) throws InterruptedException {
    trouble.run();
    committer.start();
    committer.submit(List.of(insert(1)), List.of(query("a")));
    Failures.Failure failure = failures.next();
    assertThat(failure.stage()).isEqualTo("store-committer");
    assertThat(failure.cause()).hasMessage(cause.getMessage()).hasSameClassAs(cause);
    committer.submit(List.of(insert(2)), List.of()); // dropped without blocking
    assertThatThrownBy(committer::stop).isInstanceOf(IllegalStateException.class);
    assertThat(store.attempts).hasSize(1);
  }

  @Test
  void stopCommitsWhatWasSubmitted() throws InterruptedException {
    committer = committer(OPTIONS.grouped(2, Duration.ofHours(1)));
    store.hold();
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    store.begun();
    committer.submit(
        List.of(delete(2), delete(3), delete(4), delete(5), delete(6)), List.of(query("a")));
    CompletableFuture<Void> stopped = CompletableFuture.runAsync(committer::stop);
    store.release(10);
    assertThat(stopped).succeedsWithin(Duration.ofSeconds(20));
    assertThat(listener.committed).hasSize(6);
    assertThat(listener.reads).hasSize(1);
    assertThat(committer.hasWork()).isFalse();
    committer.submit(List.of(insert(7)), List.of());
    assertThat(store.committed).hasSize(6);
  }

  @Test
  void stopFailsUnlessEverythingIsDurable() {
    CommitOptions options =
        new CommitOptions(
            10,
            Duration.ZERO,
            Duration.ofMillis(1),
            Duration.ofMillis(2),
            Duration.ofMillis(50),
            Duration.ofMinutes(1));
    StoreCommitter hurried = new StoreCommitter(store, options, listener, failures);
    store.always = failing(Kind.TRANSIENT);
    hurried.start();
    hurried.submit(List.of(insert(1), insert(2)), List.of());
    assertThatThrownBy(hurried::stop)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("2 items");
    assertThat(listener.committed).isEmpty();
    hurried.stop();
  }

  @Test
  void reportsWaitForTheIntervalAndInsertsDoNot() throws InterruptedException {
    Duration interval = Duration.ofMillis(100);
    committer = committer(OPTIONS.grouped(10, interval));
    committer.start();
    committer.submit(List.of(delete(0)), List.of());
    assertThat(store.begun().changes()).containsExactly(delete(0));
    committer.submit(List.of(delete(1)), List.of());
    await().until(() -> ticker.lastWait().equals(interval));
    ticker.advanceInVain(Duration.ofMillis(99));
    committer.submit(List.of(delete(2)), List.of());
    assertThat(store.attempts).hasSize(1);
    ticker.advance(Duration.ofMillis(1));
    assertThat(store.begun().changes()).containsExactly(delete(1), delete(2));

    committer.submit(List.of(delete(3)), List.of());
    committer.submit(List.of(insert(4)), List.of());
    listener.awaitCommitted(5);
    committer.submit(List.of(delete(5)), List.of(query("a")));
    listener.awaitReads(1);
    assertThat(listener.committed).hasSize(6);
  }

  @Test
  void maintenanceRunsOnceAMinuteWhenIdle() {
    committer.start();
    ticker.awaitSleeps(1);
    ticker.advanceInVain(Duration.ofSeconds(59));
    assertThat(store.maintained).isEmpty();
    store.beforeMaintain =
        () -> {
          throw failure(Kind.TRANSIENT);
        };
    ticker.advanceInVain(Duration.ofSeconds(1));
    assertThat(store.maintained).containsExactly(1_234L);
    committer.submit(List.of(insert(1)), List.of());
    listener.awaitCommitted(1);
    ticker.awaitSleeps(4);
    assertThat(store.maintained).hasSize(1);
    store.beforeMaintain = () -> {};
    ticker.advanceInVain(Duration.ofSeconds(60));
    assertThat(store.maintained).hasSize(2);
  }

  @Test
  void maintenanceIsDoneInTheMidstOfWorkWhenItIsLongOverdue() throws InterruptedException {
    store.hold();
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    store.begun();
    committer.submit(List.of(insert(2)), List.of());
    ticker.advance(Duration.ofMinutes(12));
    store.release(1);
    store.begun();
    assertThat(store.maintained).hasSize(1);
    store.release(1);
  }

  @Test
  void maintenanceWaitsWhileThereIsWork() throws InterruptedException {
    store.hold();
    committer.start();
    committer.submit(List.of(insert(1)), List.of());
    store.begun();
    committer.submit(List.of(insert(2)), List.of());
    ticker.advance(Duration.ofMinutes(2));
    store.release(1);
    store.begun();
    assertThat(store.maintained).isEmpty();
    store.release(1);
    await().until(() -> store.maintained.size() == 1);
  }

  @Test
  void progressIsVisible() throws InterruptedException {
    assertThat(committer.name()).isEqualTo("store-committer");
    store.hold();
    committer.start();
    assertThat(committer.hasWork()).isFalse();
    committer.submit(List.of(insert(1)), List.of());
    store.begun();
    assertThat(committer.hasWork()).isTrue();
    assertThat(committer.done()).isZero();
    store.release(1);
    await().until(() -> committer.done() == 1 && !committer.hasWork());
  }

  private StoreCommitter committer(CommitOptions options) {
    return new StoreCommitter(
        store,
        options,
        listener,
        failures,
        new SystemContext(ticker, () -> Instant.ofEpochMilli(1_234), RandomGenerator.getDefault()));
  }

  private void awaitWhileTimePasses(Callable<Boolean> condition) {
    await()
        .pollInterval(Duration.ofMillis(1))
        .until(() -> {
          ticker.advance(Duration.ofSeconds(1));
          return condition.call();
        });
  }

  private static List<Change> inserts(long from, long to) {
    List<Change> inserts = new ArrayList<>();
    for (long key = from; key < to; key++) {
      inserts.add(insert(key));
    }
    return inserts;
  }
}
