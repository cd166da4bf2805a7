package io.taskbroker.deadletter;

import java.util.List;

/// Page of dead letters, oldest first within each partition.
///
/// @param entries possibly fewer than asked for, even none, although there are more
/// @param next where the next page begins
/// @param complete whether the end of the topic was reached: there is no next page
/// @param scanned number of records read for this page
public record DeadLetterPage(List<Entry> entries, Cursor next, boolean complete, long scanned) {

  public DeadLetterPage {
    entries = List.copyOf(entries);
  }

  /// Dead letter and what an operator did with it.
  public record Entry(DeadLetter letter, java.util.Optional<Resolution> resolution) {}
}
