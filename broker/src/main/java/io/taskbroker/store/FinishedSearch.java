package io.taskbroker.store;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.store.FinishedPage.Found;
import io.taskbroker.store.RowBrowser.Position;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// Search of pages of records, for a store that reads them backwards, in windows of their
/// positions. Not thread-safe.
public final class FinishedSearch {
  /// Bytes of positions that a window spans.
  public static final long WINDOW = 2 << 20;

  private final FinishedQuery query;
  private final Optional<String> message;
  private final long end;
  private final List<Found> found = new ArrayList<>();

  /// A search that begins now.
  public FinishedSearch(FinishedQuery query) {
    this.query = query;
    this.message = query.message().map(text -> text.toLowerCase(Locale.ROOT));
    this.end = System.nanoTime() + query.within().toNanos();
  }

  /// Whether the time limit of the search has passed.
  public boolean isOver() {
    return System.nanoTime() - end > 0;
  }

  /// Whether its page is full.
  public boolean isFull() {
    return found.size() == query.limit();
  }

  /// Searches a page of records, which lies before those that were searched already.
  ///
  /// @param partitionId part of the positions; ascending from broker to broker
  /// @param position of the page
  public void add(int partitionId, long position, byte[] body) {
    List<FinishedCodec.Placed> records = FinishedCodec.records(body, false);
    for (int i = records.size() - 1; i >= 0 && !isFull(); i--) {
      FinishedCodec.Placed record = records.get(i);
      var place = new Position(partitionId, position + record.offset());
      if (isBefore(place) && matches(record.task())) {
        found.add(new Found(place, record.task(), record.resultBytes()));
      }
    }
  }

  private boolean isBefore(Position place) {
    Position before = query.before();
    return before.equals(Position.START)
        || place.partitionId() < before.partitionId()
        || (place.partitionId() == before.partitionId() && place.key() < before.key());
  }

  private boolean matches(FinishedTask task) {
    return query.id().filter(id -> !id.equals(task.id()) && !id.equals(task.firstId())).isEmpty()
        && isEqual(query.application(), task.application())
        && isEqual(query.namespace(), task.namespace())
        && isEqual(query.taskname(), task.taskname())
        && isEqual(query.outcome(), task.outcome())
        && task.endedAt() >= query.endedFrom()
        && task.endedAt() < query.endedTo()
        && (message.isEmpty() || task.message().toLowerCase(Locale.ROOT).contains(message.get()));
  }

  private static <T> boolean isEqual(Optional<T> wanted, T value) {
    return wanted.isEmpty() || wanted.get().equals(value);
  }

  /// Page of the found records, when no more are left.
  public FinishedPage all() {
    return new FinishedPage(found, Optional.empty());
  }

  /// Page of the found records, with a cursor.
  ///
  /// @param reached everything behind it is searched, unless the page is full
  public FinishedPage upTo(Position reached) {
    return new FinishedPage(found, Optional.of(isFull() ? found.getLast().position() : reached));
  }
}
