package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.WriteBatch;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Position of the last transaction that claimed an at-most-once task (G3). It is written outside
/// the database, after that transaction is durable and before the delivery: a database without that
/// transaction has lost it, however intact it looks (docs/adr/0006).
///
/// @param epoch of the writer
/// @param batch number of the transaction
/// @param latest latest possible time of a delivery, milliseconds since the epoch: tasks delayed
///   beyond it were not delivered
record AtMostOnceFence(long epoch, long batch, long latest) {
  private static final Pattern TEXT = Pattern.compile(" (\\d{1,18}) (\\d{1,18}) (\\d{1,18}) *\n");

  /// Fence of a batch; empty if it claims no at-most-once task.
  static Optional<AtMostOnceFence> of(long epoch, WriteBatch batch) {
    long latest = Row.NONE;
    for (Change change : batch.changes()) {
      if (change instanceof Change.UpdateStatus update && update.handsOut()) {
        latest = Math.max(latest, update.claimExpiresAt());
      }
    }
    return latest == Row.NONE
        ? Optional.empty()
        : Optional.of(new AtMostOnceFence(epoch, batch.number(), latest));
  }

  /// Parses [#text]; empty for any other text.
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

  /// Whether a store with this writer row lacks the transaction.
  boolean isAfter(Session.Writer writer) {
    return epoch > writer.epoch() || (epoch == writer.epoch() && batch > writer.batch());
  }

  /// The same, with a `latest` at least that of `other`.
  AtMostOnceFence notBefore(AtMostOnceFence other) {
    return new AtMostOnceFence(epoch, batch, Math.max(latest, other.latest));
  }
}
