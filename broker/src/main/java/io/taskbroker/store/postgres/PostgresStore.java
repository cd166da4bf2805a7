package io.taskbroker.store.postgres;

import com.zaxxer.hikari.HikariDataSource;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.Ids;
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
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import io.taskbroker.store.postgres.OwnedPartition.Name;
import io.taskbroker.store.postgres.OwnedPartition.VersionedWatermark;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// Store of the tasks in flight of one broker, in a Postgres database that brokers share (G1, G2,
/// H3, H6, H10, H11, H23). Reads return only rows of partitions that this broker owns.
///
/// [#commit] is confined to one thread at a time; everything else is thread-safe.
public final class PostgresStore implements ActivationStore, Ownership {
  private final Server server;
  private final PostgresOptions options;
  private final HikariDataSource pool;
  private final MemberSlot memberSlot;
  private final String database;
  private final OwnedPartitions ownedPartitions;
  private final RemoteReportTable reports = new RemoteReportTable();
  private final OwnershipProof proof;
  private final LostTransactions lostTransactions;
  private final Commits commits;
  private final ScheduleStore schedules;
  private volatile boolean closed;

  private volatile Lease lease = new Lease(System.nanoTime(), Long.MAX_VALUE / 2);

  /// @param opened as found by [StoreOpener]
  PostgresStore(
      Server server,
      PostgresOptions options,
      HikariDataSource pool,
      MemberSlot memberSlot,
      StoreOpener.Opened opened) {
    this.server = server;
    this.options = options;
    this.pool = pool;
    this.memberSlot = memberSlot;
    this.database = opened.database();
    this.ownedPartitions = new OwnedPartitions(opened.own());
    this.proof = new OwnershipProof(memberSlot.epoch(), ownedPartitions);
    this.lostTransactions =
        new LostTransactions(server, memberSlot, ownedPartitions, patienceMillis(options));
    this.schedules = new PostgresSchedules(pool, server.toString());
    this.commits =
        new Commits(
            server,
            memberSlot.epoch(),
            ownedPartitions,
            options.limits(),
            reports,
            lostTransactions);
  }

  /// Opens the store: acquires a member slot, starts a broker epoch, and takes the rows without a
  /// partition that the previous holder of the slot left.
  ///
  /// @throws StoreException of kind `FATAL` if the database is not usable as it is, or the server
  ///   does not answer within the configured retries
  public static PostgresStore open(PostgresOptions options) {
    return StoreOpener.open(options);
  }

  /// Creates or migrates the database and its tables.
  ///
  /// @throws StoreException of kind `FATAL` if that fails; `TRANSIENT` if the server does not
  ///   answer
  public static void migrate(PostgresOptions options) {
    StoreOpener.migrate(options);
  }

  /// Name of the database and number of the member slot: stable across restarts of the broker.
  @Override
  public String name() {
    return name(database, memberSlot.number());
  }

  /// Name of the broker with a member slot of a database.
  static String name(String database, int memberSlot) {
    return database + "-" + memberSlot;
  }

  @Override
  public long lastKey() {
    return commits.lastKey();
  }

  @Override
  public StorePosition position() {
    return new StorePosition(memberSlot.epoch(), commits.lastCommitted());
  }

  @Override
  public StorePosition handedOut() {
    long batch = commits.lastHandOut();
    return batch < 0 ? StorePosition.NONE : new StorePosition(memberSlot.epoch(), batch);
  }

  /// The database numbers broker epochs, so that a position of a later epoch than this one proves
  /// lost history. A position of an epoch whose batches are purged counts as present.
  @Override
  public boolean lacks(StorePosition noted) {
    if (noted.epoch() >= memberSlot.epoch()) {
      return noted.epoch() > memberSlot.epoch() || noted.batch() > commits.lastCommitted();
    }
    return with(
        "check for a batch",
        connection -> LostTransactions.isMissing(connection, noted.epoch(), noted.batch()));
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    checkOpen("commit a batch");
    return commits.commit(batch);
  }

  @Override
  public List<Row> load(long key, int limit) {
    return reading("load rows", reader -> reader.load(ownedPartitions.ids(), key, limit));
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    return reading(
        "load parked rows", reader -> reader.loadParked(ownedPartitions.ids(), key, limit));
  }

  @Override
  public List<Watermark> watermarks() {
    return reading(
        "load watermarks", reader -> watermarks(reader.watermarks(ownedPartitions.ids())));
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    return reading(
        "load tombstones",
        reader -> reader.tombstones(ownedPartitions.ids(), now, Ids.MOST_REMEMBERED));
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    return reading("read due rows", reader -> reader.due(ownedPartitions.ids(), query));
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    return reading("read rows", reader -> reader.rows(ownedPartitions.ids(), keys));
  }

  @Override
  public Optional<FinishedTask> finished(String id) {
    return with(
        "read the record of a finished task", connection -> PostgresFinished.asked(connection, id));
  }

  @Override
  public ScheduleStore schedules() {
    checkOpen("use the schedules");
    return schedules;
  }

  /// Size of this broker's rows, plus that of other brokers as last reported. Not the size of the
  /// files, whose free space is reused (W31).
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
          new Purge(connection).run(ownedPartitions.all(), now);
          new FinishedPurge(connection, options.limits().maxFinishedBytes()).run(now);
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
    OwnedPartition ownedPartition = taken.get().ownedPartition();
    OwnedPartition before = ownedPartitions.of(wanted);
    if (before == null || !taken.get().alreadyOwned()) {
      ownedPartitions.put(wanted, ownedPartition);
    }
    return Optional.of(
        new Ownership.Taken(
            watermarks(ownedPartition.watermarks().values()),
            taken.get().released(),
            Optional.ofNullable(lostTransactions.takeReached(partition)),
            taken.get().alreadyOwned()));
  }

  @Override
  public void release(SourcePartition partition, boolean drained) {
    Name name = OwnedPartitions.name(partition);
    OwnedPartition ownedPartition = ownedPartitions.of(name);
    if (ownedPartition == null) {
      return;
    }
    proof.beginMove();
    try {
      with(
          "release " + partition,
          connection -> {
            takeover(connection).release(ownedPartition, drained);
            ownedPartitions.drop(ownedPartition);
            return true;
          });
    } finally {
      proof.endMove();
    }
  }

  @Override
  public int countAsHandedOut(SourcePartition partition, long now) {
    int[] partitionIds = partitionIds(partition);
    return with(
        "count tasks of " + partition + " as handed out",
        connection -> LostTransactions.countAsHandedOut(connection, partitionIds, now));
  }

  @Override
  public List<Row> load(SourcePartition partition, long key, int limit) {
    int[] partitionIds = partitionIds(partition);
    return reading("load rows of " + partition, reader -> reader.load(partitionIds, key, limit));
  }

  @Override
  public List<ParkedRow> loadParked(SourcePartition partition, long key, int limit) {
    int[] partitionIds = partitionIds(partition);
    return reading(
        "load parked rows of " + partition, reader -> reader.loadParked(partitionIds, key, limit));
  }

  @Override
  public List<Tombstone> tombstones(SourcePartition partition, long now) {
    int[] partitionIds = partitionIds(partition);
    return reading(
        "load tombstones of " + partition,
        reader -> reader.tombstones(partitionIds, now, Ids.MOST_REMEMBERED / 8));
  }

  @Override
  public List<RemoteReport> reports(SourcePartition partition) {
    int[] partitionIds = partitionIds(partition);
    return with(
        "load reports of " + partition,
        connection -> reports.ofPartitions(connection, partitionIds));
  }

  @Override
  public List<Boolean> report(List<RemoteReport> remoteReports) {
    return with("write reports", connection -> reports.report(connection, remoteReports));
  }

  @Override
  public List<RemoteReport> reports(List<Long> keys) {
    return with("read reports", connection -> reports.ofRows(connection, keys));
  }

  /// Adopts some orphans, which no broker has owned for the drain age. The caller polls, and calls
  /// again at once while the result is not empty. Brokers may call this concurrently.
  ///
  /// Adopts nothing until this broker has had its lease for the drain age: when the server was
  /// away, the leases of all brokers have lapsed, and those that live have not all renewed theirs
  /// yet.
  ///
  /// @param limit the maximum number of rows that came from no partition
  public Adoption adopt(int limit) {
    if (!lease.lastsFor(options.limits().drainAge().toNanos(), System.nanoTime())) {
      return Adoption.NONE;
    }
    proof.beginMove();
    try {
      return with(
          "adopt orphans",
          connection ->
              new OrphanAdopter(
                      connection, takeover(connection), memberSlot.epoch(), ownedPartitions)
                  .adopt(options.limits().drainAge(), limit));
    } finally {
      proof.endMove();
    }
  }

  /// Creates the service that renews the lease of this broker and receives remote reports. Without
  /// a lease, others may take its partitions. Create it once, and stop it before closing the store.
  public Service watch(Listener listener, FailureSink failures) {
    lostTransactions.setListener(listener::wentBack);
    return new LeaseKeeper(this, memberSlot, options.limits().lease(), listener, failures);
  }

  /// Callbacks on the thread of the [LeaseKeeper], except [#wentBack]. They must not block.
  public interface Listener {
    /// The database lost transactions: the partitions in memory differ from those in it. Called by
    /// the committer thread.
    default void wentBack() {}

    /// The lease holds until then, counted from the time of the request. Called after each renewal
    /// (H11); after a pause, only once the ownership is proven.
    ///
    /// @param until nanoseconds of [System#nanoTime]
    /// @param wallUntil milliseconds since the epoch
    void leased(long until, long wallUntil);

    /// Another broker took this partition of the topic (H10).
    default void lost(String topic, int partition) {}

    /// Other brokers received reports of rows that this broker owns or just owned (H3). Duplicates
    /// are possible.
    void reported(List<RemoteReport> reports);
  }

  /// Finds the partitions that other brokers took, and reports them to the listener.
  ///
  /// @return false if the caller must ask again, because a take or a release overlapped
  boolean proveOwnership(Listener listener) throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return proof.prove(connection, listener);
    }
  }

  /// Lease of this broker, by [System#nanoTime].
  ///
  /// @param since when it began, or began anew after it had lapsed
  /// @param nanos from then to its end
  record Lease(long since, long nanos) {
    private boolean lastsFor(long age, long now) {
      return now - since >= age && now - since < nanos;
    }
  }

  /// Notes the lease after it was renewed. Without a [LeaseKeeper] it lasts.
  void leased(Lease renewed) {
    lease = renewed;
  }

  long bytes() {
    return ownedPartitions.bytes();
  }

  void setBytesOfOthers(long bytes) {
    commits.setBytesOfOthers(bytes);
  }

  List<RemoteReport> reportsOfNotification(String payload) {
    return reports.ofNotification(payload);
  }

  List<RemoteReport> missedReports() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      return reports.ofPartitions(connection, ownedPartitions.ids());
    }
  }

  /// Wakes the [LeaseKeeper] by a notification.
  void wakeLeaseKeeper() {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "SELECT pg_notify('%s', 'stop')".formatted(MemberSlot.channel(memberSlot.epoch())));
    } catch (SQLException _) {
      // It wakes at the next renewal, or the server is unreachable anyway.
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
    memberSlot.close();
  }

  /// Id of the partition; empty if this broker does not own it.
  private int[] partitionIds(SourcePartition partition) {
    OwnedPartition ownedPartition = ownedPartitions.of(partition);
    return ownedPartition == null ? new int[0] : new int[] {ownedPartition.id()};
  }

  private Takeover takeover(Connection connection) {
    return new Takeover(connection, memberSlot.epoch(), patienceMillis(options));
  }

  private static long patienceMillis(PostgresOptions options) {
    return options.limits().lease().toMillis() / 4;
  }

  /// A browser of the rows of all brokers, with a connection of its own.
  public PostgresBrowser browser() {
    return new PostgresBrowser(server, database);
  }

  private static List<Watermark> watermarks(Collection<VersionedWatermark> versioned) {
    return versioned.stream().map(VersionedWatermark::watermark).toList();
  }

  /// Versions of the rules that all brokers of the database share.
  public RuleHistory ruleHistory() {
    return new RuleVersionTable(
        new RuleVersionTable.Database() {
          @Override
          public <T> T with(String operation, RuleVersionTable.Work<T> work) {
            return PostgresStore.this.with(operation, work::on);
          }
        });
  }

  private <T> T reading(String operation, Read<T> read) {
    return with(operation, connection -> read.from(new PostgresPageReader(connection)));
  }

  private <T> T with(String operation, Work<T> work) {
    checkOpen(operation);
    try (Connection connection = pool.getConnection()) {
      return work.on(connection);
    } catch (SQLException e) {
      throw PostgresErrors.translate(server.toString(), operation, e);
    }
  }

  private void checkOpen(String operation) {
    if (closed) {
      throw new StoreException(
          Kind.FATAL, "Could not %s: the store %s is closed".formatted(operation, server), null);
    }
  }

  private interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private interface Read<T> {
    T from(PostgresPageReader reader) throws SQLException;
  }
}
