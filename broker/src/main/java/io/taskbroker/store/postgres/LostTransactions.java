package io.taskbroker.store.postgres;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.OwnedPartition.VersionedWatermark;
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

/// Recovery after the database lost acknowledged transactions: a standby without the last ones was
/// promoted, or a backup was restored (docs/adr/0012). Drops every partition, so that each is
/// loaded again from the database and read again from Kafka behind its watermarks. Thread-safe.
final class LostTransactions implements Commits.RewindHandler {
  private static final Logger LOG = LoggerFactory.getLogger(LostTransactions.class);

  private static final String NEWEST_BATCH =
      "SELECT max(number) FROM taskbroker_batch WHERE epoch = ?";
  private static final String NEXT_EPOCH = "SELECT nextval('taskbroker_broker_epoch')";

  private final Server server;
  private final MemberSlot memberSlot;
  private final OwnedPartitions ownedPartitions;
  private final long patienceMillis;

  /// Watermarks of partitions when the loss was noticed; removed when the partition is taken again.
  private final Map<SourcePartition, Watermark> reached = new ConcurrentHashMap<>();

  private volatile @Nullable Runnable listener;

  /// @param patienceMillis as for [Takeover]
  LostTransactions(
      Server server, MemberSlot memberSlot, OwnedPartitions ownedPartitions, long patienceMillis) {
    this.server = server;
    this.memberSlot = memberSlot;
    this.ownedPartitions = ownedPartitions;
    this.patienceMillis = patienceMillis;
  }

  /// @param onLoss called by the committer thread after a loss; must not block
  void setListener(Runnable onLoss) {
    listener = onLoss;
  }

  /// Handles the loss of the last acknowledged batch.
  ///
  /// @param last its number
  /// @param next the number of the refused batch
  @Override
  public void onRewind(long last, long next) throws SQLException {
    LOG.error(
        "{} went back in time: it acknowledged batch {} of this broker (epoch {}), which was"
            + " missing when batch {} was committed. A standby without the last transactions was"
            + " promoted, or a backup was restored. All tasks are loaded again, and records behind"
            + " the watermarks are read again from Kafka; tasks reported meanwhile run again, and"
            + " at-most-once tasks meet their failure policy. Only synchronous replication prevents"
            + " this",
        server,
        last,
        memberSlot.epoch(),
        next);
    reclaimMemberSlot();
    for (OwnedPartition ownedPartition : ownedPartitions.dropAll()) {
      for (VersionedWatermark known : ownedPartition.watermarks().values()) {
        reached.merge(known.watermark().partition(), known.watermark(), LostTransactions::furthest);
      }
    }
    Runnable onLoss = listener;
    if (onLoss != null) {
      onLoss.run();
    }
  }

  /// @return the number of such rows
  static int countAsHandedOut(Connection connection, int[] partitionIds, long now)
      throws SQLException {
    try (PreparedStatement update = connection.prepareStatement(Sql.COUNT_AS_HANDED_OUT)) {
      new Binder(update).set(now).set(partitionIds).set(now);
      return update.executeUpdate();
    }
  }

  private static Watermark furthest(Watermark one, Watermark other) {
    return one.next() >= other.next() ? one : other;
  }

  /// Takes the partition of the member slot again, and advances the sequence so that no later
  /// broker gets the epoch of this one.
  ///
  /// Counts at-most-once tasks as handed out before anything else can happen to them.
  private void reclaimMemberSlot() throws SQLException {
    try (Connection connection = server.connect(MemberSlot.channel(memberSlot.epoch()), 40)) {
      Optional<Takeover.Taken> own =
          new Takeover(connection, memberSlot.epoch(), patienceMillis)
              .take(Name.ofMemberSlot(memberSlot.number()), Integer.MAX_VALUE);
      if (own.isEmpty() || own.get().ownedPartition().id() != ownedPartitions.own().id()) {
        throw new StoreException(
            Kind.FATAL,
            "%s was restored to a time before this broker started; restart the broker"
                .formatted(server),
            null);
      }
      // Before another broker can take the partitions. Rows without a partition stay with this
      // broker.
      int rows = countAsHandedOut(connection, ownedPartitions.ids(), System.currentTimeMillis());
      LOG.warn("{} at-most-once tasks count as handed out", rows);
      try (Statement statement = connection.createStatement()) {
        long epoch = 0;
        while (epoch < memberSlot.epoch()) {
          try (ResultSet result = statement.executeQuery(NEXT_EPOCH)) {
            result.next();
            epoch = result.getLong(1);
          }
        }
      }
    }
  }

  /// Returns and removes the watermark that the partition had when the loss was noticed; null if
  /// there was none.
  @Nullable Watermark takeReached(SourcePartition partition) {
    return reached.remove(partition);
  }

  /// Whether the database lacks a batch that it once acknowledged.
  static boolean isMissing(Connection connection, long epoch, long number) throws SQLException {
    try (PreparedStatement known = connection.prepareStatement(NEWEST_BATCH)) {
      new Binder(known).set(epoch);
      try (ResultSet result = known.executeQuery()) {
        result.next();
        long newest = result.getLong(1);
        return !result.wasNull() && newest < number; // old epochs are purged
      }
    }
  }
}
