package io.taskbroker.store;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreCommitterBacklog.Attempt;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// What may be read of parked rows while inserts wait for space. Found by simulation: a disk that
/// was full of parked rows stayed full, because they were not read until there was space.
final class StoreCommitterBacklogTest {
  private static final ParkedQuery QUERY = new ParkedQuery("app", 0, 0, 2_000, 100);

  private final StoreCommitterBacklog backlog = new StoreCommitterBacklog(100);

  @Test
  void h12RowsBeforeTheOneThatIsHeldAreRead() {
    hold(Rows.parked(7, "app", 1_500));
    var page = page(5_000, Rows.parked(1, "app", 1_400), Rows.parked(6, "app", 1_500));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(1L, 6L);
    assertThat(read.nextDue()).isEqualTo(1_500);
  }

  @Test
  void h15NoRowBehindTheOneThatIsHeldIsRead() {
    hold(Rows.parked(7, "app", 1_500), Rows.parked(8, "app", 1_700));
    var page = page(Row.NONE, Rows.parked(6, "app", 1_500), Rows.parked(9, "app", 1_500));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(6L);
    assertThat(read.nextDue()).isEqualTo(1_500);
  }

  /// A row that is held may be due before all that fill the disk. Found by simulation: none of them
  /// was read, so that no space was made for it, ever.
  @Test
  void h12WhatIsHeldBeforeAllOthersKeepsThemNotFromRunning() {
    hold(Rows.parked(2, "app", 1_500), Rows.parked(8, "app", 1_500), Rows.parked(9, "app", 1_700));
    var page = page(5_000, Rows.parked(6, "app", 1_600), Rows.parked(7, "app", 1_600));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(6L, 7L);
    assertThat(read.nextDue()).isEqualTo(1_600);
    assertThat(heldPlaces()).containsExactly("2@1601", "8@1600", "9@1700");
  }

  @Test
  void h12WhatIsHeldIsReadWhenItHasSpace() {
    hold(Rows.parked(7, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page(Row.NONE))).isNull();
    assertThat(heldPlaces()).containsExactly("7@1500");
  }

  /// All that is parked is judged in its order; who reads it to run it makes the space.
  @Test
  void h15QueryForAllMovesNothing() {
    hold(Rows.parked(7, "app", 1_500));
    var all = new ParkedQuery("app", 0, 0, Long.MAX_VALUE, 100);
    assertThat(backlog.completeRows(all, page(Row.NONE, Rows.parked(6, "app", 9_000)))).isNull();
    assertThat(heldPlaces()).containsExactly("7@1500");
  }

  /// Nothing that leaves is in the index of what is parked.
  @Test
  void h12LeaveThatIsHeldKeepsNoPageBack() {
    backlog.add(List.of(Changes.forward(3)));
    assertThat(backlog.makeRoom(requireNonNull(backlog.next(true)))).isTrue();
    assertThat(backlog.holds()).isTrue();
    var page = page(Row.NONE, Rows.parked(9, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page)).isEqualTo(page);
  }

  @Test
  void h15WhatIsHeldAndNotDueYetIsNotForgotten() {
    hold(Rows.parked(7, "app", 3_000));
    ParkedPage nothing = requireNonNull(backlog.completeRows(QUERY, page(4_000)));
    assertThat(nothing.rows()).isEmpty();
    assertThat(nothing.nextDue()).isEqualTo(3_000);
    assertThat(requireNonNull(backlog.completeRows(QUERY, page(2_500))).nextDue()).isEqualTo(2_500);
  }

  @Test
  void pageOfAnotherApplicationIsReadAsItIs() {
    hold(Rows.parked(7, "other", 1_000));
    var page = page(Row.NONE, Rows.parked(9, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page)).isEqualTo(page);
  }

  /// Has the inserts fail for want of space.
  private void hold(Row... rows) {
    List<Change> inserts = new ArrayList<>();
    for (Row row : rows) {
      inserts.add(new Change.Insert(row, null));
    }
    backlog.add(inserts);
    Attempt attempt = requireNonNull(backlog.next(true));
    assertThat(backlog.makeRoom(attempt)).isTrue();
    assertThat(backlog.heldChanges()).isEqualTo(rows.length);
  }

  /// What is held, as key and place.
  private List<String> heldPlaces() {
    return requireNonNull(backlog.next(true)).changes().stream()
        .map(change -> change instanceof Change.Insert(Row row, _) ? row : null)
        .filter(Objects::nonNull)
        .map(row -> row.key() + "@" + row.parkedUntil())
        .toList();
  }

  private static ParkedPage page(long nextDue, Row... rows) {
    return new ParkedPage(List.of(rows), nextDue);
  }
}
