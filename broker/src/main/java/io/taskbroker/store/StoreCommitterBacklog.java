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

/// What a [StoreCommitter] has taken and not yet committed, and in which transactions it is to be
/// (H12). Confined to the committer's thread.
///
/// Changes are in parts, each of them a transaction to be, in order. After a full disk those that
/// need space are held, in order, behind those that give or keep it; everything that comes while
/// some are held is divided likewise, so that no change that needs space overtakes another.
final class StoreCommitterBacklog {
  private static final Comparator<Row> BY_DUE =
      Comparator.<Row>comparingLong(Row::parkedUntil).thenComparingLong(Row::key);

  private final int batchSize;
  private final Deque<List<Change>> parts = new ArrayDeque<>();
  private final List<Change> held = new ArrayList<>();
  private final Map<Long, Integer> heldRows = new HashMap<>(); // keys, and how much of each is held
  private int heldSize; // of the next transaction of what is held
  private long numbers;

  StoreCommitterBacklog(int batchSize) {
    this.batchSize = batchSize;
    this.heldSize = batchSize;
  }

  /// A transaction to be tried, under the same number until its fate is known (H6).
  ///
  /// @param held whether it is the beginning of what is held, which it stays until it succeeds
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

  /// The next transaction; null if there is none now.
  ///
  /// @param tryHeld whether there may be space by now
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
    List<Change> beginning = held.subList(0, Math.min(heldSize, held.size()));
    return new Attempt(new WriteBatch(++numbers, new ArrayList<>(beginning)), true);
  }

  void succeeded(Attempt attempt) {
    if (attempt.held()) {
      release(attempt.changes().size());
      heldSize = Math.min(batchSize, heldSize * 2);
    }
  }

  /// Makes two transactions of an attempt.
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

  /// Gives up the only change of an attempt.
  void drop(Attempt attempt) {
    if (attempt.held()) {
      release(1);
    }
  }

  /// Puts an insert in the place of that of the same key which is the only change of an attempt.
  void replace(Attempt attempt, Change.Insert replacement) {
    if (attempt.held()) {
      held.set(0, replacement);
    } else {
      parts.addFirst(List.of(replacement));
    }
  }

  /// There is no space for the attempt: holds back what needs space, or divides it.
  ///
  /// @return false if nothing can be done but to try the very same again
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
    return holdForward(changes.getFirst());
  }

  boolean holds() {
    return !held.isEmpty();
  }

  int heldChanges() {
    return held.size();
  }

  /// What of a page can be relied on, although it may lack a row whose insert is held: the rows
  /// before the first such row. If there are none, what is held gets a place behind the page, as
  /// whatever is parked while a page is read (H15). So what is parked runs, and makes space, while
  /// its like waits for some (H12).
  ///
  /// @return null if nothing else is due, or the page is of a query for all that is parked
  @Nullable ParkedPage completeRows(ParkedQuery query, ParkedPage page) {
    Row missing = firstHeld(query);
    if (missing == null) {
      return page;
    }
    boolean sweeps = query.upTo() == Long.MAX_VALUE;
    boolean nothingBefore =
        !page.rows().isEmpty() && BY_DUE.compare(missing, page.rows().getFirst()) < 0;
    if (nothingBefore && !sweeps) {
      moveBehind(page.rows().getLast());
      missing = firstHeld(query);
    }
    return missing == null ? page : before(missing, query, page);
  }

  /// The first of the rows that the query asks for whose insert is held; null if there is none.
  private @Nullable Row firstHeld(ParkedQuery query) {
    Row first = null;
    for (Change change : held) {
      if (change instanceof Change.Insert(Row row, _)
          && isParked(row, query.application())
          && (first == null || BY_DUE.compare(row, first) < 0)) {
        first = row;
      }
    }
    return first;
  }

  private static boolean isParked(Row row, String application) {
    return row.parkedUntil() != Row.NONE && row.activation().application().equals(application);
  }

  /// Has the rows that are held, and come before the last of a page, come behind it.
  private void moveBehind(Row last) {
    held.replaceAll(change -> {
      if (change instanceof Change.Insert(Row row, var owner)
          && isParked(row, last.activation().application())
          && BY_DUE.compare(row, last) < 0) {
        long until = row.key() > last.key() ? last.parkedUntil() : last.parkedUntil() + 1;
        return new Change.Insert(row.parkedUntil(until), owner);
      }
      return change;
    });
  }

  private static @Nullable ParkedPage before(Row missing, ParkedQuery query, ParkedPage page) {
    List<Row> rows =
        page.rows().stream().takeWhile(row -> BY_DUE.compare(row, missing) < 0).toList();
    if (rows.isEmpty() && missing.parkedUntil() <= query.upTo()) {
      return null;
    }
    boolean cut = rows.size() < page.rows().size();
    boolean sooner = page.nextDue() != Row.NONE && page.nextDue() < missing.parkedUntil();
    return new ParkedPage(rows, sooner && !cut ? page.nextDue() : missing.parkedUntil());
  }

  /// Moves what needs space, and what may not overtake such a change of the same row, to the end of
  /// what is held; returns the rest.
  private List<Change> holdBack(List<Change> changes) {
    List<Change> relief = new ArrayList<>(changes.size());
    for (Change change : changes) {
      if (change.takesSpace() || heldRows.containsKey(row(change))) {
        hold(change);
      } else {
        relief.add(change);
      }
    }
    return relief;
  }

  /// A leave may bring a payload, so that it may need space too. What follows it on the same row is
  /// then held as well.
  private boolean holdForward(Change change) {
    if (change instanceof Change.Forward forward) {
      hold(forward);
      return true;
    }
    return false;
  }

  private void hold(Change change) {
    held.add(change);
    heldRows.merge(row(change), 1, Integer::sum);
  }

  private void release(int changes) {
    List<Change> released = held.subList(0, changes);
    for (Change change : released) {
      heldRows.computeIfPresent(row(change), (_, count) -> count == 1 ? null : count - 1);
    }
    released.clear();
  }

  /// The key of the row that a change is about; [Row#NONE] if it is about none.
  private static long row(Change change) {
    return switch (change) {
      case Change.Insert insert -> insert.row().key();
      case Change.UpdateStatus mark -> mark.key();
      case Change.ConfirmOffset prove -> prove.key();
      case Change.Forward forward -> forward.key();
      case Change.Delete delete -> delete.key();
      case Change.AdvanceWatermark _, Change.OffsetCommitted _ -> Row.NONE;
    };
  }
}
