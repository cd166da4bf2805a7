package io.taskbroker.store;

import static io.taskbroker.store.Rows.NOW;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.ActivationStore.Tombstone;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.postgres.PostgresSetup;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.SqliteOptions;
import io.taskbroker.store.sqlite.SqliteStore;
import io.taskbroker.testkit.PostgresServer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Random changes, reads and reopenings of stores against a map: each seed is another history, and
/// a failure names its seed.
final class StoreModelTest {
  private static final List<Status> STATUSES = List.of(Status.values());

  @TempDir private Path folder;

  @Test
  @Timeout(240)
  void sqliteStoreBehavesAsTheModel() {
    SqliteOptions options = new SqliteOptions(folder.resolve("model.sqlite"), 0);
    run(() -> SqliteStore.open(options), 600);
  }

  @Test
  @Timeout(240)
  void inMemoryStoreBehavesAsTheModel() {
    InMemoryStore.Disk disk = new InMemoryStore.Disk();
    run(() -> new InMemoryStore(disk), 600);
  }

  @Test
  @Timeout(240)
  void postgresStoreBehavesAsTheModel() {
    PostgresOptions options = PostgresSetup.options(PostgresServer.shared().newDatabase());
    run(
        () -> {
          PostgresStore store = PostgresStore.open(options);
          store.take(new SourcePartition("", "", "", "taskworker", 3), 1);
          for (int partition = 0; partition < 3; partition++) {
            store.take(new SourcePartition("", "", "", "topic", partition), 1);
          }
          return store;
        },
        300);
  }

  private static void run(Supplier<ActivationStore> opening, int steps) {
    long seed = Long.getLong("store.seed", new Random().nextLong());
    try {
      new History(seed, opening).run(steps);
    } catch (RuntimeException | AssertionError e) {
      throw new AssertionError("With -Dstore.seed=" + seed + ": " + e.getMessage(), e);
    }
  }

  /// Expected content of a store.
  private static final class Model {
    final TreeMap<Long, Row> rows = new TreeMap<>();
    final Map<SourcePartition, Watermark> watermarks =
        new TreeMap<>(Comparator.comparing(SourcePartition::toString));
    final Map<String, Long> tombstones = new TreeMap<>();
    long lastKey;

    void apply(Change change) {
      switch (change) {
        case Change.Insert c -> {
          rows.putIfAbsent(c.row().key(), c.row());
          lastKey = Math.max(lastKey, c.row().key());
        }
        case Change.Fire _ -> throw new UnsupportedOperationException("No schedules");
        case Change.UpdateStatus c ->
            rows.computeIfPresent(
                c.key(),
                (_, row) ->
                    new Row(
                        c.key(),
                        row.activation(),
                        c.status(),
                        row.addedAt(),
                        c.attempts(),
                        c.claimExpiresAt(),
                        c.processingDeadline(),
                        c.deadlineExtended(),
                        c.committed(),
                        Row.NONE,
                        row.forwardTo()));
        case Change.ChangeDelay c ->
            rows.computeIfPresent(c.key(), (_, row) -> InMemoryStore.delayed(row, c));
        case Change.ChangePriority c ->
            rows.computeIfPresent(c.key(), (_, row) -> InMemoryStore.prioritized(row, c));
        case Change.ConfirmOffset c ->
            rows.computeIfPresent(
                c.key(),
                (_, row) ->
                    new Row(
                        c.key(),
                        row.activation(),
                        row.status(),
                        row.addedAt(),
                        row.attempts(),
                        row.claimExpiresAt(),
                        row.processingDeadline(),
                        row.deadlineExtended(),
                        true,
                        row.parkedUntil(),
                        row.forwardTo()));
        case Change.Retry c ->
            rows.computeIfPresent(c.key(), (_, row) -> InMemoryStore.retried(row, c));
        case Change.Forward c ->
            rows.computeIfPresent(
                c.key(),
                (_, row) ->
                    new Row(
                        c.key(),
                        payload(row, c.payload()),
                        c.status(),
                        row.addedAt(),
                        row.attempts(),
                        row.claimExpiresAt(),
                        row.processingDeadline(),
                        row.deadlineExtended(),
                        row.committed(),
                        Row.NONE,
                        c.destination()));
        case Change.Delete c -> {
          rows.remove(c.key());
          if (c.tombstoneUntil() != Row.NONE) {
            tombstones.merge(c.id(), c.tombstoneUntil(), Math::max);
          }
        }
        case Change.AdvanceWatermark c ->
            watermarks.merge(
                c.partition(),
                new Watermark(c.partition(), c.next(), Watermark.NONE),
                (old, _) -> new Watermark(c.partition(), c.next(), old.committed()));
        case Change.OffsetCommitted c ->
            watermarks.merge(
                c.partition(),
                new Watermark(c.partition(), c.committed(), c.committed()),
                (old, _) -> new Watermark(c.partition(), old.next(), c.committed()));
      }
    }

    private static Activation payload(Row row, byte @Nullable [] other) {
      return other == null ? row.activation() : row.activation().withPayload(other);
    }

    ParkedPage due(ParkedQuery query) {
      List<Row> all = new ArrayList<>(rows.values());
      all.removeIf(row -> !InMemoryStore.isOf(row, query));
      all.removeIf(row ->
          row.parkedUntil() < query.afterDue()
              || (row.parkedUntil() == query.afterDue() && row.key() <= query.afterKey()));
      all.sort(Comparator.comparingLong(Row::parkedUntil));
      int size = 0;
      while (size < Math.min(all.size(), query.limit())
          && all.get(size).parkedUntil() <= query.upTo()) {
        size++;
      }
      return new ParkedPage(
          all.subList(0, size), size == all.size() ? Row.NONE : all.get(size).parkedUntil());
    }
  }

  private static final class History {
    private final Random random;
    private final Supplier<ActivationStore> opening;
    private final Model model = new Model();
    private ActivationStore store;
    private long batch;
    private long now = NOW;

    /// Last key of the store when it was opened.
    private long openedWith;

    History(long seed, Supplier<ActivationStore> opening) {
      random = new Random(seed);
      this.opening = opening;
      store = opening.get();
      openedWith = store.lastKey();
    }

    void run(int steps) {
      try {
        for (int step = 0; step < steps; step++) {
          now += random.nextInt(50);
          switch (random.nextInt(13)) {
            case 0 -> reopen();
            case 1 -> maintain();
            case 2, 3 -> checkDue();
            case 4 -> checkAll();
            default -> commit();
          }
        }
        checkAll();
      } finally {
        store.close();
      }
    }

    private void reopen() {
      store.close();
      store = opening.get();
      batch = 0;
      openedWith = store.lastKey();
      assertThat(openedWith).isGreaterThanOrEqualTo(model.lastKey);
    }

    private void maintain() {
      store.maintain(now);
      model.tombstones.values().removeIf(until -> until <= now);
    }

    private void commit() {
      List<Change> changes = new ArrayList<>();
      for (int i = random.nextInt(20); i >= 0; i--) {
        Change change = change();
        changes.add(change);
        model.apply(change);
      }
      WriteBatch write = new WriteBatch(batch += 1 + random.nextInt(3), changes);
      var outcomes = store.commit(write);
      assertThat(outcomes).hasSize(changes.size());
      if (random.nextInt(4) == 0) {
        assertThat(store.commit(write)).isEqualTo(outcomes);
      }
    }

    private Change change() {
      long key = 1 + random.nextLong(model.lastKey + 3);
      String id = "id-" + key;
      return switch (random.nextInt(12)) {
        case 0, 1, 2 -> new Change.Insert(Rows.pending(key), null);
        case 3 -> new Change.Insert(Rows.parked(key, application(), soon()), null);
        case 4 ->
            new Change.UpdateStatus(
                key,
                id,
                Rows.ORIGIN,
                status(),
                random.nextInt(9),
                maybe(),
                maybe(),
                random.nextBoolean(),
                random.nextBoolean(),
                null);
        case 5 ->
            new Change.Forward(
                key,
                id,
                Rows.ORIGIN,
                status(),
                random.nextBoolean() ? null : new byte[random.nextInt(9000)],
                new Destination(
                    "topic",
                    random.nextBoolean() ? "" : "far:9092",
                    random.nextBoolean() ? Map.of() : Map.of("k", id)),
                null);
        case 6 -> new Change.AdvanceWatermark(partition(), random.nextInt(1000), null);
        case 9 -> new Change.ChangeDelay(key, id, Rows.ORIGIN, soon(), null);
        case 10 -> new Change.ChangePriority(key, id, Rows.ORIGIN, priority(), maybe(), null);
        case 11 ->
            new Change.Retry(
                Row.arriving(
                    key,
                    Rows.pending(key)
                        .activation()
                        .delayed(maybe() < 0 ? 0 : soon(), new byte[key > 5 ? 3 : 900]),
                    random.nextBoolean() ? Status.DELAY : Status.PENDING,
                    now),
                null);
        case 8 -> new Change.ConfirmOffset(key, id, Rows.ORIGIN, null);
        case 7 -> new Change.OffsetCommitted(partition(), random.nextInt(1000), null);
        default -> new Change.Delete(key, id, Rows.ORIGIN, maybe(), null);
      };
    }

    private String application() {
      return random.nextBoolean() ? "app" : "";
    }

    private int priority() {
      return random.nextInt(-1, 2);
    }

    private Status status() {
      return STATUSES.get(random.nextInt(STATUSES.size()));
    }

    private long soon() {
      return now + random.nextInt(20);
    }

    private long maybe() {
      return random.nextBoolean() ? Row.NONE : soon();
    }

    private SourcePartition partition() {
      return new SourcePartition("cluster", "group", "uuid", "topic", random.nextInt(3));
    }

    private void checkDue() {
      ParkedQuery query =
          new ParkedQuery(
              application(),
              priority(),
              now - random.nextInt(2000),
              random.nextLong(model.lastKey + 1),
              now - random.nextInt(100),
              1 + random.nextInt(4));
      ParkedPage wanted = model.due(query);
      ParkedPage page = store.due(query);
      assertThat(Rows.texts(page.rows())).isEqualTo(Rows.texts(wanted.rows()));
      assertThat(page.nextDue()).isEqualTo(wanted.nextDue());
    }

    private void checkAll() {
      int limit = 1 + random.nextInt(20);
      List<Row> rows = all(store::load, Row::key, limit);
      List<ParkedRow> parked = all(store::loadParked, ParkedRow::key, limit);
      assertThat(Rows.texts(rows))
          .isEqualTo(
              Rows.texts(
                  model.rows.values().stream()
                      .filter(row -> row.parkedUntil() == Row.NONE)
                      .toList()));
      assertThat(parked)
          .isEqualTo(
              model.rows.values().stream()
                  .filter(row -> row.parkedUntil() != Row.NONE)
                  .map(ParkedRow::of)
                  .toList());
      assertThat(store.watermarks()).containsExactlyInAnyOrderElementsOf(model.watermarks.values());
      assertThat(store.tombstones(now))
          .containsExactlyInAnyOrderElementsOf(
              model.tombstones.entrySet().stream()
                  .filter(entry -> entry.getValue() > now)
                  .map(entry -> new Tombstone(Ids.fingerprint(entry.getKey()), entry.getValue()))
                  .toList())
          .isSortedAccordingTo(Comparator.comparingLong(Tombstone::until));
      assertThat(store.lastKey()).isEqualTo(Math.max(openedWith, model.lastKey));
    }

    private static <R> List<R> all(
        BiFunction<Long, Integer, List<R>> pages, ToLongFunction<R> key, int limit) {
      List<R> all = new ArrayList<>();
      List<R> page = pages.apply(0L, limit);
      while (!page.isEmpty()) {
        assertThat(page).hasSizeLessThanOrEqualTo(limit);
        all.addAll(page);
        page = pages.apply(key.applyAsLong(all.getLast()), limit);
      }
      return all;
    }
  }
}
