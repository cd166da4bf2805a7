package io.taskbroker.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// Schedules on the disk of a store in memory. Confined, like the store.
final class InMemorySchedules implements ScheduleStore {
  private static final Comparator<String> BY_BYTES =
      (one, other) -> Arrays.compareUnsigned(one.getBytes(UTF_8), other.getBytes(UTF_8));

  private static final Comparator<ScheduleRow> BY_DUE =
      Comparator.comparingLong(ScheduleRow::dueAt).thenComparing(ScheduleRow::name, BY_BYTES);

  private final TreeMap<String, ScheduleRow> rows = new TreeMap<>(BY_BYTES);

  @Override
  public Optional<ScheduleRow> find(String name) {
    return Optional.ofNullable(rows.get(name));
  }

  @Override
  public List<ScheduleRow> page(String after, int limit, int bytes) {
    List<ScheduleRow> page = new ArrayList<>();
    long read = 0;
    for (ScheduleRow row : rows.tailMap(after, false).values()) {
      if (page.size() == limit || read >= bytes) {
        break;
      }
      read += row.state().length;
      page.add(row);
    }
    return page;
  }

  @Override
  public List<ScheduleRow> due(long afterDue, String afterName, long until, int limit) {
    var after = new ScheduleRow(afterName, 0, afterDue, new byte[0]);
    return rows.values().stream()
        .filter(row -> row.dueAt() != ScheduleRow.NEVER && row.dueAt() <= until)
        .filter(row -> BY_DUE.compare(row, after) > 0)
        .sorted(BY_DUE)
        .limit(limit)
        .toList();
  }

  @Override
  public long nextDue(long time) {
    return rows.values().stream()
        .mapToLong(ScheduleRow::dueAt)
        .filter(due -> due > time)
        .min()
        .orElse(ScheduleRow.NEVER);
  }

  @Override
  public int count() {
    return rows.size();
  }

  @Override
  public boolean create(ScheduleRow row) {
    return rows.putIfAbsent(row.name(), row) == null;
  }

  @Override
  public boolean replace(ScheduleRow row, long version) {
    ScheduleRow before = rows.get(row.name());
    boolean same = before != null && before.version() == version;
    if (same) {
      rows.put(row.name(), row);
    }
    return same;
  }

  /// Returns false if the schedule is not as the step expects.
  boolean apply(ScheduleStep step) {
    return replace(step.next(), step.version());
  }

  @Override
  public boolean delete(String name) {
    return rows.remove(name) != null;
  }

  /// Becomes a copy of another one.
  void take(InMemorySchedules other) {
    rows.clear();
    rows.putAll(other.rows);
  }
}
