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

/// Reads of parked rows while inserts wait for space. Found by simulation: a disk full of parked
/// rows stayed full, because no parked row was read until there was space.
final class StoreCommitterBacklogTest {
  private static final ParkedQuery QUERY = new ParkedQuery("app", 0, 0, 0, 2_000, 100);

  private final StoreCommitterBacklog backlog = new StoreCommitterBacklog(100);

  @Test
  void h12RowsBeforeAHeldRowAreRead() {
    hold(Rows.parked(7, "app", 1_500));
    var page = page(5_000, Rows.parked(1, "app", 1_400), Rows.parked(6, "app", 1_500));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(1L, 6L);
    assertThat(read.nextDue()).isEqualTo(1_500);
  }

  @Test
  void h15RowsBehindAHeldRowAreNotRead() {
    hold(Rows.parked(7, "app", 1_500), Rows.parked(8, "app", 1_700));
    var page = page(Row.NONE, Rows.parked(6, "app", 1_500), Rows.parked(9, "app", 1_500));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(6L);
    assertThat(read.nextDue()).isEqualTo(1_500);
  }

  /// A held row may be due before all rows that fill the disk. Found by simulation: no row was
  /// read, so no space was ever freed for it.
  @Test
  void h12HeldRowBeforeAllOthersDoesNotBlockThem() {
    hold(Rows.parked(2, "app", 1_500), Rows.parked(8, "app", 1_500), Rows.parked(9, "app", 1_700));
    var page = page(5_000, Rows.parked(6, "app", 1_600), Rows.parked(7, "app", 1_600));
    ParkedPage read = requireNonNull(backlog.completeRows(QUERY, page));
    assertThat(read.rows()).extracting(Row::key).containsExactly(6L, 7L);
    assertThat(read.nextDue()).isEqualTo(1_600);
    assertThat(heldPlaces()).containsExactly("2@1601", "8@1600", "9@1700");
  }

  @Test
  void h12HeldRowIsReadOnceItHasSpace() {
    hold(Rows.parked(7, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page(Row.NONE))).isNull();
    assertThat(heldPlaces()).containsExactly("7@1500");
  }

  /// A query for all parked rows goes in their order; unparking them to run is what frees space.
  @Test
  void h15QueryForAllRowsMovesNothing() {
    hold(Rows.parked(7, "app", 1_500));
    var all = new ParkedQuery("app", 0, 0, 0, Long.MAX_VALUE, 100);
    assertThat(backlog.completeRows(all, page(Row.NONE, Rows.parked(6, "app", 9_000)))).isNull();
    assertThat(heldPlaces()).containsExactly("7@1500");
  }

  /// Forwarded rows are not in the index of parked rows.
  @Test
  void h12HeldForwardDelaysNoPage() {
    backlog.add(List.of(Changes.forward(3)));
    assertThat(backlog.makeRoom(requireNonNull(backlog.next(true)))).isTrue();
    assertThat(backlog.holds()).isTrue();
    var page = page(Row.NONE, Rows.parked(9, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page)).isEqualTo(page);
  }

  @Test
  void h15HeldRowThatIsNotDueIsNotForgotten() {
    hold(Rows.parked(7, "app", 3_000));
    ParkedPage nothing = requireNonNull(backlog.completeRows(QUERY, page(4_000)));
    assertThat(nothing.rows()).isEmpty();
    assertThat(nothing.nextDue()).isEqualTo(3_000);
    assertThat(requireNonNull(backlog.completeRows(QUERY, page(2_500))).nextDue()).isEqualTo(2_500);
  }

  @Test
  void pageOfAnotherApplicationIsUnchanged() {
    hold(Rows.parked(7, "other", 1_000));
    var page = page(Row.NONE, Rows.parked(9, "app", 1_500));
    assertThat(backlog.completeRows(QUERY, page)).isEqualTo(page);
  }

  @Test
  void pageOfAnotherPriorityIsUnchanged() {
    hold(Rows.parked(7, "app", 1_000));
    var other = new ParkedQuery("app", 1, 0, 0, 2_000, 100);
    var page = page(Row.NONE, Rows.parked(9, "app", 1_500));
    assertThat(backlog.completeRows(other, page)).isEqualTo(page);
  }

  /// Makes the inserts fail for lack of space.
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

  /// Held rows as key and due time.
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
