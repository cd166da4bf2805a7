package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.Ownership;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.postgres.OwnedPartition.Mark;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// The activations in flight of one broker in a Postgres database that it shares with others (G1,
/// G2, H3, H6, H10, H11, H23). What is read are the rows of the places that are this broker's.
///
/// [#commit] is confined to one thread at a time; all else is thread-safe.
public final class PostgresStore implements ActivationStore, Ownership {
  private final Server server;
  private final PostgresOptions options;
  private final HikariDataSource pool;
  private final MemberSlot seat;
  private final String name;
  private final OwnedPartitions places;
  private final RemoteReportTable reports = new RemoteReportTable();
  private final OwnershipProof proof;
  private final LostTransactions rewinds;
  private final Commits commits;
  private volatile boolean closed;

  /// @param begun what [StoreOpener] found
  PostgresStore(
      Server server,
      PostgresOptions options,
      HikariDataSource pool,
      MemberSlot seat,
      StoreOpener.Beginning begun) {
    this.server = server;
    this.options = options;
    this.pool = pool;
    this.seat = seat;
    this.name = begun.database() + "-" + seat.number();
    this.places = new OwnedPartitions(begun.own());
    this.proof = new OwnershipProof(seat.run(), places);
    this.rewinds = new LostTransactions(server, seat, places, patienceMillis(options));
    this.commits = new Commits(server, seat.run(), places, options.limits(), reports, rewinds);
  }

  /// Opens the store: begins a run of a broker on a seat of its own, and takes the rows that came
  /// from no partition to the broker that had the seat before.
  ///
  /// @throws StoreException of kind `FATAL` if the database cannot be used as it is, or the server
  ///   does not answer however often it is asked
  public static PostgresStore open(PostgresOptions options) {
    return StoreOpener.open(options);
  }

  /// Makes the database and its tables, or brings them up to date.
  ///
  /// @throws StoreException of kind `FATAL` if that cannot be done; `TRANSIENT` if the server does
  ///   not answer
  public static void migrate(PostgresOptions options) {
    StoreOpener.migrate(options);
  }

  /// That of the database and the seat: a broker that is started again has the same at once.
  @Override
  public String name() {
    return name;
  }

  @Override
  public long lastKey() {
    return commits.lastKey();
  }

  @Override
  public StorePosition position() {
    return new StorePosition(seat.run(), commits.last());
  }

  @Override
  public StorePosition handedOut() {
    long batch = commits.handedOut();
    return batch < 0 ? StorePosition.NONE : new StorePosition(seat.run(), batch);
  }

  /// Runs are counted by the database: one that is not before this store's run is one that the
  /// database has forgotten. What was noted by a run of long ago, of which it keeps nothing, counts
  /// as there.
  @Override
  public boolean lacks(StorePosition noted) {
    if (noted.epoch() >= seat.run()) {
      return noted.epoch() > seat.run() || noted.batch() > commits.last();
    }
    return with(
        "look for a batch",
        connection -> LostTransactions.isMissing(connection, noted.epoch(), noted.batch()));
  }

  @Override
  public List<Outcome> commit(WriteBatch batch) {
    checkOpen("commit a batch");
    return commits.commit(batch);
  }

  @Override
  public List<Row> load(long key, int limit) {
    return reading("load rows", reader -> reader.load(places.slots(), key, limit));
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    return reading("load parked rows", reader -> reader.loadParked(places.slots(), key, limit));
  }

  @Override
  public List<Watermark> watermarks() {
    return reading("load watermarks", reader -> watermarks(reader.watermarks(places.slots())));
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    return reading("load tombstones", reader -> reader.tombstones(places.slots(), now));
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    return reading("read due rows", reader -> reader.due(places.slots(), query));
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    return reading("read rows", reader -> reader.rows(places.slots(), keys));
  }

  /// The size of this broker's rows, and of those of the others as they told it last. Not that of
  /// the files: what is free in them is used again (W31).
  @Override
  public long size() {
    checkOpen("measure the database");
    return commits.size();
  }

  @Override
  public void maintain(long now) {
    with(
        "maintain the database",
        connection -> {
          new Purge(connection).run(places.all(), now);
          return true;
        });
  }

  @Override
  public Optional<Ownership.Taken> take(SourcePartition partition, int generation) {
    proof.beginMove();
    try {
      return with("take " + partition, connection -> take(connection, partition, generation));
    } finally {
      proof.endMove();
    }
  }

  private Optional<Ownership.Taken> take(
      Connection connection, SourcePartition partition, int generation) throws SQLException {
    Name wanted = OwnedPartitions.name(partition);
    Optional<Takeover.Taken> taken = takeover(connection).take(wanted, generation);
    if (taken.isEmpty()) {
      return Optional.empty();
    }
    OwnedPartition place = taken.get().place();
    OwnedPartition before = places.of(wanted);
    if (before == null || !taken.get().kept()) {
      places.put(wanted, place);
    }
    return Optional.of(
        new Ownership.Taken(
            watermarks(place.marks().values()),
            taken.get().released(),
            Optional.ofNullable(rewinds.takeReached(partition))));
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    Name name = OwnedPartitions.name(partition);
    OwnedPartition place = places.of(name);
    if (place == null) {
      return;
    }
    proof.beginMove();
    try {
      with(
          "release " + partition,
          connection -> {
            takeover(connection).free(place, drained);
            places.lost(place);
            return true;
          });
    } finally {
      proof.endMove();
    }
  }

  @Override
  public int countAsHandedOut(SourcePartition partition, long now) {
    int[] slots = slots(partition);
    return with(
        "count what may have been handed out of " + partition,
        connection -> LostTransactions.countAsHandedOut(connection, slots, now));
  }

  @Override
  public List<Row> load(SourcePartition partition, long key, int limit) {
    int[] slots = slots(partition);
    return reading("load rows of " + partition, reader -> reader.load(slots, key, limit));
  }

  @Override
  public List<ParkedRow> loadParked(SourcePartition partition, long key, int limit) {
    int[] slots = slots(partition);
    return reading(
        "load parked rows of " + partition, reader -> reader.loadParked(slots, key, limit));
  }

  @Override
  public List<Tombstone> tombstones(SourcePartition partition, long now) {
    int[] slots = slots(partition);
    return reading("load tombstones of " + partition, reader -> reader.tombstones(slots, now));
  }

  @Override
  public List<RemoteReport> reports(SourcePartition partition) {
    int[] slots = slots(partition);
    return with("load reports of " + partition, connection -> reports.ofPlaces(connection, slots));
  }

  @Override
  public List<Boolean> report(List<RemoteReport> foreign) {
    return with("write reports", connection -> reports.report(connection, foreign));
  }

  @Override
  public List<RemoteReport> reports(List<Long> keys) {
    return with("read reports", connection -> reports.ofRows(connection, keys));
  }

  /// Takes over some of what no broker has had for the drain age: called now and then, and again at
  /// once while there is something. Brokers may do it at the same time.
  ///
  /// @param limit rows that came from no partition, at most
  public Adoption adopt(int limit) {
    proof.beginMove();
    try {
      return with(
          "take over what nobody has",
          connection ->
              new OrphanAdopter(connection, takeover(connection), seat.run(), places)
                  .adopt(options.limits().drainAge(), limit));
    } finally {
      proof.endMove();
    }
  }

  /// The service that keeps the lease of this broker, without which others may take its partitions,
  /// and hears of reports. Made once, and stopped before the store is closed.
  public Service watch(Listener listener, FailureSink failures) {
    rewinds.tell(listener::wentBack);
    return new LeaseKeeper(this, seat, options.limits().lease(), listener, failures);
  }

  /// Who is told by the thread of the watch, but for [#wentBack]: must not block.
  public interface Listener {
    /// The database went back in time: what is in memory of partitions is not what it has. Said by
    /// the committer's thread.
    default void wentBack() {}

    /// The lease holds until then: counted from when it was asked for. Said again each time that it
    /// was renewed (H11), and after a pause not before it is known what is this broker's still.
    ///
    /// @param until nanoseconds of [System#nanoTime]
    /// @param wallUntil milliseconds since the epoch
    void leased(long until, long wallUntil);

    /// Another broker has taken the rows of this partition of the topic (H10).
    default void lost(String topic, int partition) {}

    /// Other brokers were told of rows that are, or just were, this one's (H3). The same may be
    /// said more than once.
    void reported(List<RemoteReport> reports);
  }

  /// Finds out what other brokers took of what is this one's, and says it.
  ///
  /// @return false if that is to be asked again, because a partition is on its way to this broker,
  ///   or from it
  boolean proveOwnership(Listener listener) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return proof.prove(connection, listener);
    }
  }

  long bytes() {
    return places.bytes();
  }

  void othersHave(long bytes) {
    commits.othersHave(bytes);
  }

  List<RemoteReport> heard(String payload) {
    return reports.heard(payload);
  }

  List<RemoteReport> missedReports() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return reports.ofPlaces(connection, places.slots());
    }
  }

  /// Has the server say something to the watch.
  void wakeWatch() {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_notify('%s', 'stop')".formatted(MemberSlot.channel(seat.run())));
    } catch (SQLException _) {
      // It wakes by itself, or cannot be told anything anyway.
    }
  }

  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    commits.close();
    pool.close();
    seat.close();
  }

  /// The slot of the partition; none if it is not this broker's.
  private int[] slots(SourcePartition partition) {
    OwnedPartition place = places.of(partition);
    return place == null ? new int[0] : new int[] {place.slot()};
  }

  private Takeover takeover(Connection connection) {
    return new Takeover(connection, seat.run(), patienceMillis(options));
  }

  private static long patienceMillis(PostgresOptions options) {
    return options.limits().lease().toMillis() / 4;
  }

  private static List<Watermark> watermarks(Collection<Mark> marks) {
    return marks.stream().map(Mark::watermark).toList();
  }

  private <T> T reading(String doing, Read<T> read) {
    return with(doing, connection -> read.by(new PostgresPageReader(connection)));
  }

  private <T> T with(String doing, Work<T> work) {
    checkOpen(doing);
    try (Connection connection = pool.getConnection()) {
      return work.on(connection);
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), doing, e);
    }
  }

  private void checkOpen(String doing) {
    if (closed) {
      throw new StoreException(
          Kind.FATAL, "Could not %s: the store %s is closed".formatted(doing, server), null);
    }
  }

  private interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private interface Read<T> {
    T by(PostgresPageReader reader) throws SQLException;
  }
}
