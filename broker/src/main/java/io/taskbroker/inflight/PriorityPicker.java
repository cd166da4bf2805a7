package io.taskbroker.inflight;

import io.taskbroker.activation.Priority;
import org.jspecify.annotations.Nullable;

/// Picks the ready task of the highest priority, and of those the one that arrived first. While
/// several priorities are ready, each [#OLDEST_EVERY]th task is the one that arrived first of all,
/// so that none waits forever: a task is picked after at most so many times the number of tasks
/// that arrived before it ([ADR 44](docs/adr/0044-priorities.md)). Tasks of normal priority alone
/// cost a null check. Not thread-safe.
final class PriorityPicker implements TaskPicker {
  /// Number of deliveries of which one goes by arrival alone.
  static final int OLDEST_EVERY = 16;

  private static final int LEVELS = Priority.FIRST - Priority.LAST + 1;
  private static final int NORMAL = Priority.FIRST - Priority.NORMAL;

  private final OldestFirstIndex readyOfAll;
  private final OldestFirstPicker normal;

  /// One for each priority, the highest first; null while there never was another one.
  private @Nullable OldestFirstPicker @Nullable [] levels;

  /// Bits of the levels with ready tasks.
  private int ready;

  /// Tasks that were removed while several priorities were ready.
  private int turns;

  /// @param all index of the ready tasks of all applications
  PriorityPicker(OldestFirstIndex all) {
    this.readyOfAll = all;
    this.normal = new OldestFirstPicker(all);
  }

  @Override
  public void add(InFlightTask task, boolean back) {
    int level = level(task);
    @Nullable OldestFirstPicker[] all = levels;
    if (all == null) {
      if (level == NORMAL) {
        normal.add(task, back);
        return;
      }
      all = new OldestFirstPicker[LEVELS];
      all[NORMAL] = normal;
      levels = all;
      ready = normal.isEmpty() ? 0 : 1 << NORMAL;
    }
    OldestFirstPicker picker = all[level];
    if (picker == null) {
      picker = new OldestFirstPicker(readyOfAll);
      all[level] = picker;
    }
    picker.add(task, back);
    ready |= 1 << level;
  }

  @Override
  public void remove(InFlightTask task) {
    @Nullable OldestFirstPicker[] all = levels;
    if (all == null) {
      normal.remove(task);
      return;
    }
    OldestFirstPicker picker = all[level(task)];
    if (task.readyQueue == null || picker == null) {
      return;
    }
    if (isMixed()) {
      turns++;
    }
    picker.remove(task);
    if (picker.isEmpty()) {
      ready &= ~(1 << level(task));
    }
  }

  @Override
  public boolean isEmpty() {
    return levels == null ? normal.isEmpty() : ready == 0;
  }

  @Override
  public @Nullable InFlightTask next(@Nullable String namespace) {
    @Nullable OldestFirstPicker[] all = levels;
    if (all == null) {
      return normal.next(namespace);
    }
    InFlightTask first = null;
    for (int rest = ready; rest != 0; rest &= rest - 1) {
      OldestFirstPicker picker = all[Integer.numberOfTrailingZeros(rest)];
      InFlightTask task = picker == null ? null : picker.next(namespace);
      if (task != null && (first == null || isBefore(task, first))) {
        first = task;
      }
    }
    return first;
  }

  @Override
  public @Nullable InFlightTask oldest() {
    @Nullable OldestFirstPicker[] all = levels;
    if (all == null) {
      return normal.next(null);
    }
    InFlightTask oldest = null;
    for (@Nullable OldestFirstPicker picker : all) {
      InFlightTask task = picker == null ? null : picker.next(null);
      oldest = task != null && (oldest == null || task.key < oldest.key) ? task : oldest;
    }
    return oldest;
  }

  @Override
  public boolean isBefore(InFlightTask task, InFlightTask other) {
    int level = level(task);
    int otherLevel = level(other);
    return (level == otherLevel || isTurnOfOldest()) ? task.key < other.key : level < otherLevel;
  }

  /// Counts the tasks of higher priority in the same namespace, too.
  @Override
  public int position(InFlightTask task, int max) {
    int position = normal.position(task, max);
    @Nullable OldestFirstPicker[] all = levels == null ? new OldestFirstPicker[0] : levels;
    for (int level = 0; level < all.length && level < level(task) && position < max; level++) {
      OldestFirstPicker picker = all[level];
      position += picker == null ? 0 : picker.count(task.activation.namespace(), max - position);
    }
    return position;
  }

  private boolean isTurnOfOldest() {
    return isMixed() && Math.floorMod(turns, OLDEST_EVERY) == OLDEST_EVERY - 1;
  }

  /// Whether several priorities are ready.
  private boolean isMixed() {
    return (ready & (ready - 1)) != 0;
  }

  /// Index of the priority of a task: 0 for the highest.
  private static int level(InFlightTask task) {
    return Priority.FIRST - task.activation.priority();
  }
}
