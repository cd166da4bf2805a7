package io.taskbroker.store.sqlite;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.store.RowBrowser.Position;
import io.taskbroker.store.RowBrowser.Query;
import io.taskbroker.store.Rows;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class ZoneMapTest {
  private static final int MANY_NAMES = 3 * ZoneMap.MAX_NAMES;

  /// A row of the model.
  private record Known(String taskname, boolean parked, long receivedAt) {}

  /// Random changes against a map of all rows: no row that matches is ever left out.
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void everyRowThatMatchesIsInARange(int seed) {
    var random = new Random(seed);
    var zones = new ZoneMap(true);
    var rows = new TreeMap<Long, Known>();
    long nextKey = 1;
    for (int i = 0; i < 3_000; i++) {
      List<Change> batch = new ArrayList<>();
      Map.Entry<Long, Known> known =
          rows.isEmpty() ? null : rows.floorEntry(random.nextLong(nextKey) + rows.firstKey());
      int what = random.nextInt(10);
      if (known == null || what < 4) {
        nextKey += 1 + random.nextInt(ZoneMap.ZONE / 4);
        int names = seed == 1 ? MANY_NAMES : 4;
        var row =
            new Known("task-" + random.nextInt(names), random.nextBoolean(), random.nextInt(1_000));
        rows.put(nextKey, row);
        batch.add(new Change.Insert(row(nextKey, row), null));
      } else if (what < 6) {
        long key = known.getKey();
        Known row = known.getValue();
        rows.put(key, new Known(row.taskname(), false, row.receivedAt()));
        batch.add(new Change.ChangeDelay(key, "id", Rows.ORIGIN, 5, null));
      } else if (what < 7) {
        boolean parked = random.nextBoolean();
        long key = known.getKey();
        Known row = known.getValue();
        rows.put(key, new Known(row.taskname(), parked, row.receivedAt()));
        batch.add(
            new Change.ChangePriority(key, "id", Rows.ORIGIN, 2, parked ? 5 : Row.NONE, null));
      } else {
        rows.remove(known.getKey());
        batch.add(new Change.Delete(known.getKey(), "id", Rows.ORIGIN, Row.NONE, null));
      }
      zones.committing(batch);
      zones.committed(batch);
      if (i % 10 == 0) {
        Query query =
            query(
                "task-" + random.nextInt(5),
                random.nextInt(3) == 0 ? Optional.of(random.nextBoolean()) : Optional.empty(),
                random.nextInt(800));
        var covered = new TreeMap<>(rows);
        found(zones, query).forEach(range -> covered.subMap(range.from(), range.to()).clear());
        covered.values().removeIf(row -> !matches(query, row));
        assertThat(covered).isEmpty();
      }
    }
  }

  private static boolean matches(Query query, Known row) {
    return query.taskname().orElseThrow().equals(row.taskname())
        && query.parked().orElse(row.parked()) == row.parked()
        && row.receivedAt() >= query.receivedFrom()
        && row.receivedAt() < query.receivedTo();
  }

  @Test
  void onlyZonesThatMayMatchAreRead() {
    var zones = new ZoneMap(true);
    for (int i = 0; i < 100; i++) {
      insert(zones, i * (long) ZoneMap.ZONE, "usual", true);
    }
    insert(zones, 50L * ZoneMap.ZONE + 1, "rare", true);
    insert(zones, 60L * ZoneMap.ZONE + 1, "rare", false);

    assertThat(found(zones, query("none", Optional.empty(), 0))).isEmpty();
    assertThat(found(zones, query("rare", Optional.empty(), 0)))
        .containsExactly(zone(50), zone(60));
    assertThat(found(zones, query("rare", Optional.of(false), 0))).containsExactly(zone(60));
    assertThat(found(zones, query("usual", Optional.of(false), 0))).isEmpty();
    assertThat(found(zones, query("usual", Optional.empty(), 1_000))).isEmpty();
    assertThat(found(zones, prioritized(1))).isEmpty();
    assertThat(found(zones, prioritized(0))).isNotEmpty();
    zones.committing(
        List.of(
            new Change.ChangePriority(50L * ZoneMap.ZONE, "id", Rows.ORIGIN, 1, Rows.NOW, null)));
    assertThat(found(zones, prioritized(1))).containsExactly(zone(50));
    assertThat(found(zones, parkedTo(Rows.NOW))).containsExactly(zone(50), zone(60));
    assertThat(found(zones, parkedTo(Rows.NOW - 1))).containsExactly(zone(60));
  }

  @Test
  void namesOfRowsInMemoryEndWithThem() {
    var zones = new ZoneMap(true);
    insert(zones, 1, "parked", true);
    for (long key = 2; key < 100; key++) {
      insert(zones, key, "quick", false);
    }
    assertThat(found(zones, query("quick", Optional.empty(), 0))).containsExactly(zone(0));
    for (long key = 2; key < 100; key++) {
      delete(zones, key);
    }
    assertThat(found(zones, query("quick", Optional.empty(), 0))).isEmpty();
    assertThat(found(zones, query("parked", Optional.empty(), 0))).containsExactly(zone(0));

    insert(zones, ZoneMap.ZONE, "quick", false);
    delete(zones, ZoneMap.ZONE);
    assertThat(zones.size()).isOne();
  }

  @Test
  void g7MoreZonesThanTheMaximumMayHaveAnything() {
    var zones = new ZoneMap(true);
    for (int i = 0; i < ZoneMap.MAX_ZONES + 2; i++) {
      insert(zones, i * (long) ZoneMap.ZONE, "usual", true);
    }
    assertThat(zones.size()).isEqualTo(ZoneMap.MAX_ZONES);
    assertThat(found(zones, query("none", Optional.empty(), 0)))
        .containsExactly(new ZoneMap.Range(0, 2 * ZoneMap.ZONE));
  }

  private static void insert(ZoneMap zones, long key, String taskname, boolean parked) {
    zones.committing(List.of(new Change.Insert(row(key, new Known(taskname, parked, 500)), null)));
  }

  private static void delete(ZoneMap zones, long key) {
    zones.committed(List.of(new Change.Delete(key, "id", Rows.ORIGIN, Row.NONE, null)));
  }

  private static Row row(long key, Known known) {
    Activation activation =
        new Activation(
            "id-" + key,
            "app",
            "namespace",
            known.taskname(),
            new byte[0],
            Rows.ORIGIN,
            known.receivedAt(),
            Activation.NEVER,
            0,
            30,
            FailurePolicy.DISCARD,
            false,
            false);
    Row row = Row.arriving(key, activation, Status.PENDING, Rows.NOW);
    return known.parked() ? row.parkedUntil(Rows.NOW) : row;
  }

  private static ZoneMap.Range zone(long number) {
    return new ZoneMap.Range(number * ZoneMap.ZONE, (number + 1) * ZoneMap.ZONE);
  }

  private static Query query(String taskname, Optional<Boolean> parked, long receivedFrom) {
    long receivedTo = receivedFrom == 0 ? Long.MAX_VALUE : receivedFrom + 200;
    return query(taskname, parked, Long.MAX_VALUE, Optional.empty(), receivedFrom, receivedTo);
  }

  private static Query parkedTo(long time) {
    return query("rare", Optional.empty(), time, Optional.empty(), 0, Long.MAX_VALUE);
  }

  private static Query prioritized(int priority) {
    return query(
        "usual", Optional.empty(), Long.MAX_VALUE, Optional.of(priority), 0, Long.MAX_VALUE);
  }

  private static Query query(
      String taskname,
      Optional<Boolean> parked,
      long parkedTo,
      Optional<Integer> priority,
      long receivedFrom,
      long receivedTo) {
    Query all = Query.all(1, Duration.ZERO);
    return new Query(
        Position.START,
        all.id(),
        all.application(),
        all.namespace(),
        Optional.of(taskname),
        all.status(),
        parked,
        parkedTo,
        priority,
        receivedFrom,
        receivedTo,
        0,
        1,
        Duration.ZERO);
  }

  private static List<ZoneMap.Range> found(ZoneMap zones, Query query) {
    List<ZoneMap.Range> found = new ArrayList<>();
    Optional<ZoneMap.Range> next = zones.next(0, query);
    while (next.isPresent()) {
      found.add(next.get());
      next = zones.next(next.get().to(), query);
    }
    return found;
  }
}
