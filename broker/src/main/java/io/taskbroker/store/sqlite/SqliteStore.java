package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Store of the tasks in flight in one SQLite file, with this broker as the only writer (G1, G2,
/// H6, H23). Confined to one thread at a time, apart from [#name], [#position], [#handedOut],
/// [#lacks] and [#browser].
///
/// A commit survives a power cut: it ends with an fsync of the write-ahead log.
public final class SqliteStore implements ActivationStore {
  private static final Logger LOG = LoggerFactory.getLogger(SqliteStore.class);

  /// Most tombstones purged by one transaction of [#maintain]: some tens of milliseconds of work.
  private static final int MAX_PURGED_TOMBSTONES = 50_000;

  /// Most such transactions of one [#maintain], so that a purge keeps up with any rate.
  private static final int MAX_PURGES = 8;

  /// Least free bytes for which a rewrite pays off.
  private static final long FREE_BYTES_TO_REWRITE_FOR = 64L << 20;

  /// Most records of finished tasks that one [#maintain] deletes because of their age.
  private static final int MAX_PURGED_MEGABYTES = 8;

  private static final int LOG_PAGES_WARNING = 4 * Session.CHECKPOINT_PAGES;

  private final Path file;
  private final int vacuumPages;
  private final long maxFinishedBytes;
  private final DiskSpaceGuard diskSpace;
  private final WriterLock lock;
  private final String name;
  private final long epoch;

  /// What the rows may have, for searches.
  private final ZoneMap zones;

  private final Optional<ReplacedStore> replaced;

  /// Position of the store when it was opened; null if a loss is known and handled already.
  private final @Nullable StorePosition positionAtOpen;

  private volatile StorePosition position;

  /// Last transaction of this process that claims an at-most-once task.
  private volatile StorePosition handedOut = StorePosition.NONE;

  private long lastKey;
  private boolean closed;

  /// Whether a commit found no space, and no insert has found any since. Meanwhile finished tasks
  /// leave no records, so that deletes make space (H12).
  private boolean spaceLacks;

  /// Null until the first claim of an at-most-once task.
  private @Nullable AtMostOnceFence lastFence;

  private final ScheduleStore schedules = new Schedules();

  /// Null after a failure that left it in an unknown state; the next operation opens another.
  private @Nullable Session session;

  /// Last batch tried, and its outcomes if it is committed.
  private long lastBatch = -1;

  private List<ChangeOutcome> lastOutcomes = List.of();

  private SqliteStore(
      Path file,
      SqliteOptions options,
      DiskSpaceGuard diskSpace,
      WriterLock lock,
      Opening opening,
      OpenedWriter opened)
      throws IOException {
    Session.Writer writer = opened.writer();
    this.file = file;
    this.vacuumPages = options.vacuumPages();
    this.maxFinishedBytes = options.maxFinishedBytes();
    this.diskSpace = diskSpace;
    this.lock = lock;
    this.session = opening.session;
    this.replaced = opening.replaced;
    this.name = writer.name();
    this.epoch = writer.epoch();
    this.positionAtOpen = opened.lost() || opening.replaced.isPresent() ? null : opened.found();
    this.position = new StorePosition(epoch, writer.batch());
    this.lastKey = writer.lastKey();
    this.zones = new ZoneMap(opened.empty());
    this.lastFence = lock.fence(name).orElse(null);
  }

  /// Opens the store, creates it if the file does not exist, and migrates the file of a reference
  /// broker in place. Replaces a store that is damaged or missing: [#replaced].
  ///
  /// @throws StoreException of kind `FATAL` if the store is unusable or in use by another broker
  public static SqliteStore open(SqliteOptions options) {
    Path file = realPath(options.path());
    WriterLock lock = WriterLock.take(file);
    try {
      var opening = Opening.of(file, lock);
      Session session = opening.session();
      try {
        OpenedWriter opened = takeWriter(session, lock, opening, file);
        DiskSpaceGuard diskSpace = DiskSpaceGuard.of(file, options);
        if (options.vacuumAtStart()) {
          rewriteIfMostlyFree(session, file, diskSpace);
        }
        lock.persist(opened.writer().name());
        return new SqliteStore(file, options, diskSpace, lock, opening, opened);
      } catch (SQLException | IOException | RuntimeException e) {
        closeQuietly(session);
        throw e;
      }
    } catch (SQLException e) {
      lock.close();
      throw SqliteErrors.atOpen(file, e);
    } catch (IOException e) {
      lock.close();
      throw new StoreException(
          Kind.FATAL, "Could not use the lock of the store %s: %s".formatted(file, e), e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /// Makes the caller the writer of the store, intact or after a loss.
  private static OpenedWriter takeWriter(
      Session session, WriterLock lock, Opening opening, Path file)
      throws SQLException, IOException {
    Session.Writer former = session.writer();
    Optional<AtMostOnceFence> lost =
        lock.fence(former.name()).filter(fence -> fence.isAfter(former));
    long rows = 0;
    if (lost.isPresent()) {
      rows = session.countAsHandedOut(lost.get().latest(), System.currentTimeMillis());
    }
    Session.Writer writer = session.raiseEpoch(lost.map(AtMostOnceFence::epoch).orElse(0L));
    boolean empty = session.firstKey() == Long.MAX_VALUE;
    session.commit();
    if (lost.isPresent() && opening.replaced().isEmpty()) {
      LOG.error(
          "The store {} lost its latest transactions: its write-ahead log was removed or"
              + " truncated, or an old copy was restored. {} tasks that may run only once may have"
              + " been delivered since, and meet their failure policy",
          file,
          rows);
    }
    return new OpenedWriter(
        writer, new StorePosition(former.epoch(), former.batch()), lost.isPresent(), empty);
  }

  /// Current writer of a store.
  ///
  /// @param found position at which the former writer left the store
  /// @param lost whether the lock file records a later position
  /// @param empty whether the store has no rows
  private record OpenedWriter(
      Session.Writer writer, StorePosition found, boolean lost, boolean empty) {}

  /// Session of an undamaged file.
  ///
  /// @param replaced the damaged file that it replaces, if any
  private record Opening(Session session, Optional<ReplacedStore> replaced) {
    /// Replaces a damaged file if the lock file names it as a store of this broker; any other
    /// damaged file is left to the operator.
    static Opening of(Path file, WriterLock lock) throws SQLException, IOException {
      Optional<String> known = lock.storeName();
      if (known.isEmpty()) {
        Session session = Session.open(file, UUID.randomUUID().toString());
        return new Opening(session, Optional.empty());
      }
      String name = known.get();
      var rescue = new Rescue(file, name, System.currentTimeMillis());
      Optional<ReplacedStore> replaced = rescue.damage().map(rescue::replace);
      return new Opening(Session.open(file, name), replaced);
    }
  }

  /// Rewrites a file after a backlog, if its free bytes exceed the used ones and the disk has room
  /// for two copies.
  private static void rewriteIfMostlyFree(Session session, Path file, DiskSpaceGuard diskSpace)
      throws SQLException {
    long free = session.freeBytes();
    long used = session.size();
    if (free < FREE_BYTES_TO_REWRITE_FOR || free < used || !diskSpace.has(2 * used)) {
      return;
    }
    long started = System.nanoTime();
    try {
      session.rewrite();
      LOG.info(
          "Returned {} free bytes of {} to the file system in {} ms; {} bytes are in use",
          free,
          file,
          (System.nanoTime() - started) / 1_000_000,
          used);
    } catch (SQLException e) {
      LOG.warn(
          "Could not return {} free bytes of {} to the file system; continuing without",
          free,
          file,
          e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  /// If this store replaced a damaged one, only the keys that could be read count.
  @Override
  public long lastKey() {
    return lastKey;
  }

  /// A browser of the rows. Thread-safe.
  public RowBrowser browser() {
    return new SqliteBrowser(file, zones);
  }

  /// The damaged database that this store replaced when it was opened.
  public Optional<ReplacedStore> replaced() {
    return replaced;
  }

  @Override
  public StorePosition position() {
    return position;
  }

  @Override
  public StorePosition handedOut() {
    return handedOut;
  }

  /// A loss that is known from the lock file or from a replacement does not count: it is handled
  /// already.
  @Override
  public boolean lacks(StorePosition noted) {
    return positionAtOpen != null
        && noted.epoch() != epoch
        && (noted.epoch() > positionAtOpen.epoch()
            || (noted.epoch() == positionAtOpen.epoch() && noted.batch() > positionAtOpen.batch()));
  }

  /// Whether a broker may have recorded a position that this store lacks.
  public boolean hasHistory() {
    return positionAtOpen != null && positionAtOpen.epoch() > 0;
  }

  /// Whether the store has deliverable at-most-once rows.
  public boolean hasAtMostOnce() {
    return inTransaction("look for at-most-once rows", Session::hasAtMostOnce);
  }

  /// Marks at-most-once tasks as delivered if transactions that the store lost may have delivered
  /// them (G3): all that are not delayed beyond `now`. Call it before rows are loaded.
  ///
  /// @param now milliseconds since the epoch
  /// @return the number of rows marked
  public int countAsHandedOut(long now) {
    return inTransaction(
        "mark possibly delivered rows", session -> session.countAsHandedOut(now, now));
  }

  @Override
  public long firstKey() {
    return inTransaction("find the first row", Session::firstKey);
  }

  @Override
  public List<Row> load(long key, int limit) {
    List<Row> page = inTransaction("load rows", session -> session.rows.load(key, limit));
    zones.loaded(key, page);
    return page;
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    List<ParkedRow> page =
        inTransaction("load parked rows", session -> session.rows.loadParked(key, limit, zones));
    zones.parkedLoaded(key, page.isEmpty() ? Long.MAX_VALUE : page.getLast().key());
    return page;
  }

  @Override
  public List<Watermark> watermarks() {
    return inTransaction("load watermarks", session -> session.rows.watermarks());
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    return inTransaction("load tombstones", session -> session.rows.tombstones(now));
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    return inTransaction("read due rows", session -> session.rows.due(query));
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    return inTransaction("read rows", session -> session.rows.rows(keys));
  }

  @Override
  public Optional<FinishedTask> finished(String id) {
    return inTransaction(
        "read the record of a finished task", session -> session.finished.find(id));
  }

  @Override
  public ScheduleStore schedules() {
    return schedules;
  }

  @Override
  public long size() {
    return inTransaction("measure the database", Session::size);
  }

  /// @return for a batch that was committed before, its outcomes of that time
  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    long newest = batch.newestKey();
    zones.committing(batch.changes());
    List<ChangeOutcome> outcomes =
        inTransaction("commit a batch", session -> apply(session, batch, newest));
    zones.committed(batch.changes());
    lastKey = Math.max(lastKey, newest);
    if (newest != Row.NONE) {
      spaceLacks = false;
    }
    position = new StorePosition(epoch, batch.number());
    AtMostOnceFence.of(epoch, batch).ifPresent(this::persistFence);
    return outcomes;
  }

  /// Must run before a delivery and after its claim is durable; a crash between the two loses
  /// nothing.
  private void persistFence(AtMostOnceFence fence) {
    AtMostOnceFence next = lastFence == null ? fence : fence.notBefore(lastFence);
    try {
      lock.persist(name, next);
      lastFence = next;
      handedOut = new StorePosition(fence.epoch(), fence.batch());
    } catch (IOException e) {
      throw new StoreException(
          Kind.TRANSIENT,
          "Could not record the latest claim in the lock file of %s: %s".formatted(file, e),
          e);
    }
  }

  private List<ChangeOutcome> apply(Session session, WriteBatch batch, long newest)
      throws SQLException {
    List<Change> changes = batch.changes();
    if (!session.advance(epoch, batch.number(), Math.max(lastKey, newest))) {
      return outcomesOfRetry(session, batch);
    }
    if (newest != Row.NONE) {
      diskSpace.check(session);
    }
    ChangeOutcome[] outcomes = new ChangeOutcome[changes.size()];
    List<FinishedTask> finished = List.of();
    for (int i = 0; i < outcomes.length; i++) {
      Change change = changes.get(i);
      outcomes[i] = session.changes.apply(change);
      FinishedTask ended = change instanceof Change.Delete delete ? delete.finished() : null;
      if (ended != null && outcomes[i] == ChangeOutcome.APPLIED && !spaceLacks) {
        finished = finished.isEmpty() ? new ArrayList<>() : finished;
        finished.add(ended);
      }
    }
    if (!finished.isEmpty()) {
      session.finished.insert(finished);
      session.finished.purge(finished.getLast().endedAt(), maxFinishedBytes, 1);
    }
    lastBatch = batch.number();
    lastOutcomes = Collections.unmodifiableList(Arrays.asList(outcomes));
    return lastOutcomes;
  }

  private List<ChangeOutcome> outcomesOfRetry(Session session, WriteBatch batch)
      throws SQLException {
    Session.Writer writer = fence(session);
    if (writer.batch() != batch.number() || lastBatch != batch.number()) {
      throw new IllegalArgumentException(
          "Batch %d does not follow batch %d".formatted(batch.number(), writer.batch()));
    }
    return lastOutcomes;
  }

  @Override
  public void maintain(long now) {
    int purged = MAX_PURGED_TOMBSTONES;
    for (int i = 1; i < MAX_PURGES && purged == MAX_PURGED_TOMBSTONES; i++) {
      purged =
          inTransaction(
              "purge tombstones",
              session -> {
                fence(session);
                int deleted = session.purgeTombstones(now, MAX_PURGED_TOMBSTONES);
                session.commit();
                return deleted;
              });
    }
    long kept =
        inTransaction(
            "maintain the database",
            session -> {
              fence(session);
              session.finished.purge(now, maxFinishedBytes, MAX_PURGED_MEGABYTES);
              session.vacuum(vacuumPages);
              session.commit();
              return session.checkpoint();
            });
    if (kept > LOG_PAGES_WARNING) {
      LOG.warn(
          "The write-ahead log of {} cannot shrink below {} pages because of a long-running"
              + " reader: end that read",
          file,
          kept);
    }
  }

  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    Session last = session;
    session = null;
    try {
      if (last != null) {
        last.close();
      }
    } catch (SQLException e) {
      LOG.warn("Could not close {}; committed transactions are safe", file, e);
    } finally {
      lock.close();
    }
  }

  /// @throws StoreException of kind `FATAL` if this broker is no longer the writer
  private Session.Writer fence(Session session) throws SQLException {
    Session.Writer writer = session.writer();
    if (writer.epoch() != epoch) {
      throw new StoreException(
          Kind.FATAL,
          "Another broker took over %s (it has the epoch %d, this one had %d); stop one of them"
              .formatted(file, writer.epoch(), epoch),
          null);
    }
    return writer;
  }

  private <T> T inTransaction(String operation, Work<T> work) {
    if (closed) {
      throw new StoreException(
          Kind.FATAL, "Could not %s: the store %s is closed".formatted(operation, file), null);
    }
    try {
      Session current = session;
      if (current == null) {
        current = Session.reopen(file);
        session = current;
      }
      T result = work.in(current);
      current.commit();
      return result;
    } catch (SQLException e) {
      StoreException error = SqliteErrors.whileOpen(file, operation, e);
      rollback(true);
      if (error.kind() == Kind.FULL) {
        spaceLacks = true;
        shrinkLog();
      }
      throw error;
    } catch (RuntimeException e) {
      spaceLacks |= e instanceof StoreException error && error.kind() == Kind.FULL;
      rollback(false);
      throw e;
    }
  }

  /// Rolls back a failed transaction.
  ///
  /// @param renew whether a statement may have failed, rather than the code that uses it
  private void rollback(boolean renew) {
    Session current = session;
    if (current == null) {
      return;
    }
    try {
      current.rollback();
      session = renew ? current.renewed() : current;
    } catch (SQLException _) {
      session = null;
      closeQuietly(current);
    }
  }

  /// Checkpoints the log so that it restarts at its beginning: on a full disk deletes then commit
  /// although inserts cannot (H12).
  private void shrinkLog() {
    try {
      if (session != null) {
        session.checkpoint();
      }
    } catch (SQLException e) {
      LOG.debug("Could not shorten the log of {}", file, e);
      // The failure ended the transaction too; without a new one each statement would autocommit.
      rollback(true);
    }
  }

  private static void closeQuietly(Session session) {
    try {
      session.close();
    } catch (SQLException e) {
      LOG.debug("Could not close a connection", e);
    }
  }

  /// Path with links resolved, so that a file has one lock under all its names.
  private static Path realPath(Path path) {
    Path absolute = path.toAbsolutePath();
    try {
      if (Files.isDirectory(absolute)) {
        throw new StoreException(
            Kind.FATAL,
            "The store %s is a folder; configure the path of a file".formatted(path),
            null);
      }
      Path parent = absolute.getParent();
      Path name = absolute.getFileName();
      if (parent == null || name == null || !Files.isDirectory(parent)) {
        throw new StoreException(
            Kind.FATAL,
            "The folder %s of the store %s does not exist; create it, or configure another path"
                .formatted(parent, path),
            null);
      }
      return Files.exists(absolute) ? absolute.toRealPath() : parent.toRealPath().resolve(name);
    } catch (IOException e) {
      throw new StoreException(Kind.FATAL, "Could not find the store %s: %s".formatted(path, e), e);
    }
  }

  /// Schedules, in transactions of this store.
  private final class Schedules implements ScheduleStore {
    @Override
    public Optional<ScheduleRow> find(String name) {
      return inTransaction("read a schedule", session -> session.schedules.find(name));
    }

    @Override
    public List<ScheduleRow> page(String after, int limit, int bytes) {
      return inTransaction(
          "list the schedules", session -> session.schedules.page(after, limit, bytes));
    }

    @Override
    public List<ScheduleRow> due(long afterDue, String afterName, long until, int limit) {
      return inTransaction(
          "read due schedules",
          session -> session.schedules.due(afterDue, afterName, until, limit));
    }

    @Override
    public long nextDue(long time) {
      return inTransaction(
          "find the next due schedule", session -> session.schedules.nextDue(time));
    }

    @Override
    public int count() {
      return inTransaction("count the schedules", session -> session.schedules.count());
    }

    @Override
    public boolean create(ScheduleRow row) {
      return inTransaction(
          "create a schedule",
          session -> {
            fence(session);
            diskSpace.check(session);
            return session.schedules.create(row);
          });
    }

    @Override
    public boolean replace(ScheduleRow row, long version) {
      return inTransaction(
          "replace a schedule",
          session -> {
            fence(session);
            return session.schedules.replace(row, version);
          });
    }

    @Override
    public boolean delete(String name) {
      return inTransaction(
          "delete a schedule",
          session -> {
            fence(session);
            return session.schedules.delete(name);
          });
    }
  }

  /// Work with the database in one transaction.
  private interface Work<T> {
    T in(Session session) throws SQLException;
  }
}
