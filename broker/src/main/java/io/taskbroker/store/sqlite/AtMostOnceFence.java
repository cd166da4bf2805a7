package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.WriteBatch;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The last transaction of a store by which something was handed out that may run only once (G3).
/// It is noted outside of the database, after that transaction is durable and before anything is
/// handed out: a database that does not have it has lost it, however whole it looks
/// (docs/adr/0006).
///
/// @param epoch of the writer
/// @param batch its number
/// @param latest when that was, at the latest, milliseconds since the epoch: what was delayed for
///   longer was not handed out
record AtMostOnceFence(long epoch, long batch, long latest) {
  private static final Pattern TEXT = Pattern.compile(" (\\d{1,18}) (\\d{1,18}) (\\d{1,18}) *\n");

  /// What the batch hands out; empty if that is nothing that may run only once.
  static Optional<AtMostOnceFence> of(long epoch, WriteBatch batch) {
    long latest = Row.NONE;
    for (Change change : batch.changes()) {
      if (change instanceof Change.UpdateStatus updateStatus && updateStatus.handsOut()) {
        latest = Math.max(latest, updateStatus.claimExpiresAt());
      }
    }
    return latest == Row.NONE
        ? Optional.empty()
        : Optional.of(new AtMostOnceFence(epoch, batch.number(), latest));
  }

  /// The opposite of [#text]; empty for anything else.
  static Optional<AtMostOnceFence> of(String text) {
    Matcher matcher = TEXT.matcher(text);
    return matcher.matches()
        ? Optional.of(
            new AtMostOnceFence(
                Long.parseLong(matcher.group(1)),
                Long.parseLong(matcher.group(2)),
                Long.parseLong(matcher.group(3))))
        : Optional.empty();
  }

  String text() {
    return " " + epoch + " " + batch + " " + latest;
  }

  /// Whether a store that says this of its last writer has lost it.
  boolean isAfter(Session.Writer writer) {
    return epoch > writer.epoch() || (epoch == writer.epoch() && batch > writer.batch());
  }

  /// The same, no earlier than another was.
  AtMostOnceFence notBefore(AtMostOnceFence other) {
    return new AtMostOnceFence(epoch, batch, Math.max(latest, other.latest));
  }
}
