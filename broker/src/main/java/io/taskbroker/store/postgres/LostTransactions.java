package io.taskbroker.store.postgres;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.OwnedPartition.Mark;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a broker does when its database went back in time: a standby took over that lacks the last
/// transactions, or a backup was put back (docs/adr/0012). Everything of partitions is given up, to
/// be read anew from the database, and from Kafka behind its watermarks. Thread-safe.
final class LostTransactions implements Commits.WentBack {
  private static final Logger LOG = LoggerFactory.getLogger(LostTransactions.class);

  private static final String KNOWN = "SELECT max(number) FROM taskbroker_batch WHERE run = ?";
  private static final String NEXT_RUN = "SELECT nextval('taskbroker_run_number')";

  private final Server server;
  private final MemberSlot seat;
  private final OwnedPartitions places;
  private final long patienceMillis;

  /// How far partitions were consumed when the database went back, until they are taken again.
  private final Map<SourcePartition, Watermark> reached = new ConcurrentHashMap<>();

  private volatile @Nullable Runnable listener;

  /// @param patienceMillis as that of [Takeover]
  LostTransactions(Server server, MemberSlot seat, OwnedPartitions places, long patienceMillis) {
    this.server = server;
    this.seat = seat;
    this.places = places;
    this.patienceMillis = patienceMillis;
  }

  /// @param told when the database went back, by the committer's thread: must not block
  void tell(Runnable told) {
    listener = told;
  }

  /// The last batch that the database acknowledged is not in it any more.
  ///
  /// @param last its number
  /// @param next the number of the batch that was refused
  @Override
  public void happened(long last, long next) throws SQLException {
    LOG.error(
        "{} went back in time: it acknowledged batch {} of this broker (run {}) and does not have"
            + " it now that batch {} comes. A standby without the last transactions took over, or a"
            + " backup was put back. Everything is loaded from it again and read again from Kafka"
            + " behind its watermarks; what was reported meanwhile runs again, and what may run"
            + " only once meets its failure policy. Only synchronous replication prevents this",
        server,
        last,
        seat.run(),
        next);
    keepSeat();
    for (OwnedPartition place : places.loseAll()) {
      for (Mark mark : place.marks().values()) {
        reached.merge(mark.watermark().partition(), mark.watermark(), LostTransactions::further);
      }
    }
    Runnable told = listener;
    if (told != null) {
      told.run();
    }
  }

  /// @return how many rows that were
  static int countAsHandedOut(Connection connection, int[] slots, long now) throws SQLException {
    try (PreparedStatement update = connection.prepareStatement(Sql.HANDED_OUT)) {
      new Binder(update).set(now).set(slots).set(now);
      return update.executeUpdate();
    }
  }

  private static Watermark further(Watermark one, Watermark other) {
    return one.next() >= other.next() ? one : other;
  }

  /// Takes the place of the seat again, and lets no later run have the number of this one.
  ///
  /// What may run only once counts as handed out before anything else becomes of it.
  private void keepSeat() throws SQLException {
    try (Connection connection = server.connect(MemberSlot.channel(seat.run()), 40)) {
      Optional<Takeover.Taken> own =
          new Takeover(connection, seat.run(), patienceMillis)
              .take(Name.ofSeat(seat.number()), Integer.MAX_VALUE);
      if (own.isEmpty() || own.get().place().slot() != places.own().slot()) {
        throw new StoreException(
            Kind.FATAL,
            "%s went back to before this broker began; start it again".formatted(server),
            null);
      }
      // Now, as another broker may have them next, and nobody takes those that came from nowhere.
      int rows = countAsHandedOut(connection, places.slots(), System.currentTimeMillis());
      LOG.warn("{} tasks that may run only once count as handed out", rows);
      try (Statement statement = connection.createStatement()) {
        long run = 0;
        while (run < seat.run()) {
          try (ResultSet result = statement.executeQuery(NEXT_RUN)) {
            result.next();
            run = result.getLong(1);
          }
        }
      }
    }
  }

  /// How far the partition was consumed when the database went back; null if it did not. Told once.
  @Nullable Watermark takeReached(SourcePartition partition) {
    return reached.remove(partition);
  }

  /// Whether the database lacks a batch that it had.
  static boolean isMissing(Connection connection, long run, long number) throws SQLException {
    try (PreparedStatement known = connection.prepareStatement(KNOWN)) {
      new Binder(known).set(run);
      try (ResultSet result = known.executeQuery()) {
        result.next();
        long newest = result.getLong(1);
        return !result.wasNull() && newest < number; // runs of long ago are forgotten
      }
    }
  }
}
