package io.taskbroker.store;

import static io.taskbroker.store.ScriptedStore.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.runtime.Failures;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Timeout;

/// Random changes and queries against a store with little space and every transient failure: each
/// change is committed or rejected once, and none overtakes another that it must follow.
@Timeout(240)
final class StoreCommitterModelTest {
  private static final String[] APPLICATIONS = {"a", "b", "c"};

  private final ScriptedStore store = new ScriptedStore();
  private final RecordingListener listener = new RecordingListener();
  private final Failures failures = new Failures();
  private final List<Change> submitted = new ArrayList<>();
  private final Map<ParkedQuery, Integer> queried = new HashMap<>(); // after how many changes
  private final Set<Change> offenders = ConcurrentHashMap.newKeySet();
  private final Set<Change> large = ConcurrentHashMap.newKeySet(); // forwards that need space

  private long free = 20; // the committer's thread's

  @RepeatedTest(20)
  void everyChangeIsCommittedOrRejectedOnceAndInOrder() {
    long seed = ThreadLocalRandom.current().nextLong();
    Random random = new Random(seed);
    Random storeRandom = new Random(seed + 1);
    store.always = batch -> limitedAndUnreliable(batch, storeRandom);
    StoreCommitter committer =
        new StoreCommitter(
            store,
            new CommitOptions(
                1 + random.nextInt(100),
                random.nextBoolean() ? Duration.ZERO : Duration.ofNanos(50_000),
                Duration.ofNanos(1_000),
                Duration.ofNanos(50_000),
                Duration.ofSeconds(30),
                Duration.ZERO),
            listener,
            failures);
    committer.start();
    for (int i = 0; i < 400; i++) {
      submitSome(committer, random);
    }
    store.always = batch -> rejectOffenders(batch);
    committer.stop();
    assertAll(seed);
  }

  private void submitSome(StoreCommitter committer, Random random) {
    List<Change> changes = new ArrayList<>();
    List<ParkedQuery> queries = new ArrayList<>();
    for (int left = random.nextInt(30); left > 0; left--) {
      int key = submitted.size() + changes.size();
      Change change =
          switch (random.nextInt(10)) {
            case 0 -> Changes.insertParked(key, APPLICATIONS[random.nextInt(3)]);
            case 1, 2 -> Changes.insert(key);
            case 3 -> Changes.advanceWatermark(key);
            case 4 -> random.nextBoolean() ? Changes.updateStatus(key) : Changes.confirmOffset(key);
            case 5 -> Changes.forward(key);
            default -> Changes.delete(key);
          };
      if (random.nextInt(200) == 0) {
        offenders.add(change);
      }
      if (change instanceof Change.Forward && random.nextInt(10) == 0) {
        large.add(change);
        changes.add(change);
        change = Changes.delete(key); // must not overtake it
      }
      changes.add(change);
    }
    if (random.nextInt(10) == 0) {
      int after = submitted.size() + changes.size();
      ParkedQuery query =
          new ParkedQuery(APPLICATIONS[random.nextInt(3)], 0, 0, queried.size(), 5_000, 10);
      queried.put(query, after);
      queries.add(query);
    }
    submitted.addAll(changes);
    long done = committer.done();
    committer.submit(changes, queries);
    int patience = random.nextInt(3) == 0 ? 0 : 20_000; // let it make progress
    while (patience-- > 0 && committer.hasWork() && committer.done() < done + 2) {
      Thread.onSpinWait();
    }
  }

  private void limitedAndUnreliable(WriteBatch batch, Random random) {
    int need = 0;
    for (Change change : batch.changes()) {
      need += needsSpace(change) ? 1 : change instanceof Change.Delete ? -1 : 0;
      if (free < need) {
        throw failure(Kind.FULL);
      }
    }
    rejectOffenders(batch);
    boolean fails = random.nextInt(10) == 0;
    store.commitsDespiteFailure = random.nextBoolean();
    if (!fails || store.commitsDespiteFailure) {
      free -= need;
    }
    if (fails) {
      throw failure(Kind.TRANSIENT);
    }
  }

  private void rejectOffenders(WriteBatch batch) {
    if (batch.changes().stream().anyMatch(offenders::contains)) {
      throw failure(Kind.DATA);
    }
  }

  private boolean needsSpace(Change change) {
    return Changes.needsSpace(change) || large.contains(change);
  }

  private void assertAll(long seed) {
    assertThat(failures.all()).as("seed %s", seed).isEmpty();
    check(
        listener.committed.equals(store.committed),
        seed,
        "the listener received the commits in order");
    check(offenders.equals(new HashSet<>(listener.rejected)), seed, "offenders are rejected");
    check(listener.rejected.size() == offenders.size(), seed, "rejected once");

    List<Change> rest = new ArrayList<>(submitted);
    rest.removeAll(offenders);
    check(listener.committed.size() == rest.size(), seed, "each once");
    check(new HashSet<>(listener.committed).equals(new HashSet<>(rest)), seed, "none is lost");
    Predicate<Change> delayed = this::needsSpace;
    check(
        listener.committed.stream()
            .filter(Changes::needsSpace)
            .toList()
            .equals(rest.stream().filter(Changes::needsSpace).toList()),
        seed,
        "what needs space is in order");
    Set<Long> largeKeys = new HashSet<>();
    large.forEach(change -> largeKeys.add(((Change.Forward) change).key()));
    Predicate<Change> relief =
        delayed
            .or(change -> change instanceof Change.Delete d && largeKeys.contains(d.key()))
            .negate();
    check(
        listener.committed.stream()
            .filter(relief)
            .toList()
            .equals(rest.stream().filter(relief).toList()),
        seed,
        "what needs none is in order");

    Map<Change, Integer> positions = new HashMap<>();
    for (Change change : listener.committed) {
      positions.put(change, positions.size());
    }
    for (Change change : large) {
      Change delete = Changes.delete(((Change.Forward) change).key());
      if (positions.containsKey(change) && positions.containsKey(delete)) {
        check(positions.get(change) < positions.get(delete), seed, "of one row in order");
      }
    }
    Map<Long, WriteBatch> batches = new HashMap<>();
    for (WriteBatch attempt : store.attempts) {
      WriteBatch before = batches.putIfAbsent(attempt.number(), attempt);
      check(before == null || before.equals(attempt), seed, "a number is of one batch");
    }
    assertThat(listener.reads)
        .as("seed %s: each query is answered once", seed)
        .extracting(RecordingListener.Read::query)
        .containsExactlyInAnyOrderElementsOf(queried.keySet());
    for (RecordingListener.Read read : listener.reads) {
      for (Change change : submitted.subList(0, queried.getOrDefault(read.query(), 0))) {
        check(
            !matters(change, read.query())
                || offenders.contains(change)
                || positions.getOrDefault(change, Integer.MAX_VALUE) < read.seen(),
            seed,
            change + " is seen by " + read);
      }
    }
  }

  /// Whether a page must be read behind a change. A forward that waits for space, and what follows
  /// it, holds no page up: the engine ignores rows that it has taken from the parked ones.
  private boolean matters(Change change, ParkedQuery query) {
    if (change instanceof Change.Delete delete && isOfLarge(delete.key())) {
      return false;
    }
    return change instanceof Change.Insert insert
        ? insert.row().parkedUntil() != Row.NONE
            && insert.row().activation().application().equals(query.application())
        : !needsSpace(change);
  }

  private boolean isOfLarge(long key) {
    return large.stream().anyMatch(change -> ((Change.Forward) change).key() == key);
  }

  private static void check(boolean holds, long seed, String what) {
    assertThat(holds).as("seed %s: %s", seed, what).isTrue();
  }
}
