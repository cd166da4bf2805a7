package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Changes that a [StoreCommitter] has taken and not committed, split into future transactions
/// (H12). Confined to the committer's thread.
///
/// Each part is one transaction; parts are in order. After a full disk, changes that need space are
/// held, in order, behind those that need none. While any are held, later changes are split the
/// same way, so that no change that needs space overtakes another.
final class StoreCommitterBacklog {
  private static final Comparator<Row> BY_DUE =
      Comparator.<Row>comparingLong(Row::parkedUntil).thenComparingLong(Row::key);

  private final int batchSize;
  private final Deque<List<Change>> parts = new ArrayDeque<>();
  private final List<Change> held = new ArrayList<>();
  private final Map<Long, Integer> heldRows = new HashMap<>(); // key to number of held changes
  private int heldSize; // size of the next transaction of held changes
  private long numbers;

  StoreCommitterBacklog(int batchSize) {
    this.batchSize = batchSize;
    this.heldSize = batchSize;
  }

  /// Transaction to try, under the same number until its outcome is known (H6).
  ///
  /// @param held whether it is a prefix of the held changes, which stay held until it succeeds
  record Attempt(WriteBatch batch, boolean held) {
    List<Change> changes() {
      return batch.changes();
    }
  }

  void add(List<Change> changes) {
    if (!changes.isEmpty()) {
      parts.addLast(changes);
    }
  }

  /// Next transaction; null if there is none now.
  ///
  /// @param tryHeld whether to try held changes: there may be space by now
  @Nullable Attempt next(boolean tryHeld) {
    for (List<Change> part = parts.poll(); part != null; part = parts.poll()) {
      List<Change> changes = held.isEmpty() ? part : holdBack(part);
      if (!changes.isEmpty()) {
        return new Attempt(new WriteBatch(++numbers, changes), false);
      }
    }
    if (held.isEmpty() || !tryHeld) {
      return null;
    }
    List<Change> prefix = held.subList(0, Math.min(heldSize, held.size()));
    return new Attempt(new WriteBatch(++numbers, new ArrayList<>(prefix)), true);
  }

  void succeeded(Attempt attempt) {
    if (attempt.held()) {
      release(attempt.changes().size());
      heldSize = Math.min(batchSize, heldSize * 2);
    }
  }

  /// Splits an attempt into two transactions.
  void divide(Attempt attempt) {
    List<Change> changes = attempt.changes();
    int middle = changes.size() / 2;
    if (attempt.held()) {
      heldSize = Math.max(1, middle);
    } else {
      parts.addFirst(new ArrayList<>(changes.subList(middle, changes.size())));
      parts.addFirst(new ArrayList<>(changes.subList(0, middle)));
    }
  }

  /// Drops the only change of an attempt.
  void drop(Attempt attempt) {
    if (attempt.held()) {
      release(1);
    }
  }

  /// Replaces the only change of an attempt by an insert with the same key.
  void replace(Attempt attempt, Change.Insert replacement) {
    if (attempt.held()) {
      held.set(0, replacement);
    } else {
      parts.addFirst(List.of(replacement));
    }
  }

  /// Reacts to a full disk: holds the changes that need space, or splits the attempt.
  ///
  /// @return false if only an identical retry is left
  boolean makeRoom(Attempt attempt) {
    List<Change> changes = attempt.changes();
    if (attempt.held()) {
      divide(attempt);
      return true;
    }
    List<Change> relief = holdBack(changes);
    if (relief.size() < changes.size()) {
      if (!relief.isEmpty()) {
        parts.addFirst(relief);
      }
      return true;
    }
    if (changes.size() > 1) {
      divide(attempt);
      return true;
    }
    return holdPayload(changes.getFirst());
  }

  boolean holds() {
    return !held.isEmpty();
  }

  int heldChanges() {
    return held.size();
  }

  /// Part of a page that is complete although inserts are held: the rows before the first held row.
  /// If none come before it, held rows are moved behind the page, like rows parked while a page is
  /// read (H15). So parked tasks run, and free space, while others wait for space (H12).
  ///
  /// @return null if nothing else is due, or if the query covers all parked rows
  @Nullable ParkedPage completeRows(ParkedQuery query, ParkedPage page) {
    Row missing = firstHeld(query);
    if (missing == null) {
      return page;
    }
    boolean coversAll = query.upTo() == Long.MAX_VALUE;
    boolean nothingBefore =
        !page.rows().isEmpty() && BY_DUE.compare(missing, page.rows().getFirst()) < 0;
    if (nothingBefore && !coversAll) {
      moveBehind(page.rows().getLast());
      missing = firstHeld(query);
    }
    return missing == null ? page : rowsBefore(missing, query, page);
  }

  /// First matching row whose insert is held; null if there is none.
  private @Nullable Row firstHeld(ParkedQuery query) {
    Row first = null;
    for (Change change : held) {
      Row row = rowOf(change);
      if (row != null
          && isParked(row, query.application(), query.priority())
          && (first == null || BY_DUE.compare(row, first) < 0)) {
        first = row;
      }
    }
    return first;
  }

  /// The row that a change stores; null if it stores none.
  private static @Nullable Row rowOf(Change change) {
    return switch (change) {
      case Change.Insert insert -> insert.row();
      case Change.Fire fire -> fire.row();
      default -> null;
    };
  }

  private static boolean isParked(Row row, String application, int priority) {
    return row.parkedUntil() != Row.NONE
        && row.activation().application().equals(application)
        && row.activation().priority() == priority;
  }

  /// Moves held rows that sort before the last row of a page behind it.
  private void moveBehind(Row last) {
    held.replaceAll(change -> {
      Row row = rowOf(change);
      if (row != null
          && isParked(row, last.activation().application(), last.activation().priority())
          && BY_DUE.compare(row, last) < 0) {
        long until = row.key() > last.key() ? last.parkedUntil() : last.parkedUntil() + 1;
        Row moved = row.parkedUntil(until);
        return change instanceof Change.Fire fire
            ? new Change.Fire(moved, fire.step(), fire.owner())
            : new Change.Insert(moved, change.owner());
      }
      return change;
    });
  }

  private static @Nullable ParkedPage rowsBefore(Row missing, ParkedQuery query, ParkedPage page) {
    List<Row> rows =
        page.rows().stream().takeWhile(row -> BY_DUE.compare(row, missing) < 0).toList();
    if (rows.isEmpty() && missing.parkedUntil() <= query.upTo()) {
      return null;
    }
    boolean cut = rows.size() < page.rows().size();
    boolean sooner = page.nextDue() != Row.NONE && page.nextDue() < missing.parkedUntil();
    return new ParkedPage(rows, sooner && !cut ? page.nextDue() : missing.parkedUntil());
  }

  /// Appends changes that need space, and later changes of the same rows, to the held ones; returns
  /// the rest.
  private List<Change> holdBack(List<Change> changes) {
    List<Change> relief = new ArrayList<>(changes.size());
    for (Change change : changes) {
      if (change.takesSpace() || heldRows.containsKey(change.key())) {
        hold(change);
      } else {
        relief.add(change);
      }
    }
    return relief;
  }

  /// Holds a forward or a retry: it may carry a payload and so need space. Later changes of the row
  /// are then held too.
  private boolean holdPayload(Change change) {
    if (change instanceof Change.Forward || change instanceof Change.Retry) {
      hold(change);
      return true;
    }
    return false;
  }

  private void hold(Change change) {
    held.add(change);
    heldRows.merge(change.key(), 1, Integer::sum);
  }

  private void release(int changes) {
    List<Change> released = held.subList(0, changes);
    for (Change change : released) {
      heldRows.computeIfPresent(change.key(), (_, count) -> count == 1 ? null : count - 1);
    }
    released.clear();
  }
}
