package io.taskbroker.store.sqlite;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.StorePosition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The activations in flight in one SQLite file, which this broker alone writes to (G1, G2, H6,
/// H23). Confined to one thread at a time, apart from [#name].
///
/// What is committed survives a power cut: each commit ends with an fsync of the write-ahead log.
public final class SqliteStore implements ActivationStore {
  private static final Logger LOG = LoggerFactory.getLogger(SqliteStore.class);

  /// What one [#maintain] does at most: some tens of milliseconds of work.
  private static final int PURGED_AT_ONCE = 50_000;

  /// Of a smaller file little can be had back.
  private static final long FREE_BYTES_TO_REWRITE_FOR = 64L << 20;

  private static final int LOG_PAGES_TO_WARN_OF = 4 * Session.CHECKPOINT_PAGES;

  private final Path file;
  private final int vacuumPages;
  private final DiskSpaceGuard diskSpace;
  private final WriterLock lock;
  private final String name;
  private final long epoch;

  private final Optional<ReplacedStore> replaced;

  /// Where the store was when it was opened; null if it is known already that it lacks something.
  private final @Nullable StorePosition positionAtOpen;

  private volatile StorePosition position;

  /// The last transaction of this run that hands out something that may run only once.
  private volatile StorePosition handedOut = StorePosition.NONE;

  private long lastKey;
  private boolean closed;

  /// Null if nothing was ever handed out that may run only once.
  private @Nullable AtMostOnceFence lastFence;

  /// Null after a failure that left it in an unknown state: the next operation opens another.
  private @Nullable Session session;

  /// The last batch that was tried, and what becomes of its changes if it is committed.
  private long lastBatch = -1;

  private List<Outcome> lastOutcomes = List.of();

  private SqliteStore(
      Path file,
      int vacuumPages,
      DiskSpaceGuard diskSpace,
      WriterLock lock,
      Opening opening,
      OpenedWriter taken)
      throws IOException {
    Session.Writer writer = taken.writer();
    this.file = file;
    this.vacuumPages = vacuumPages;
    this.diskSpace = diskSpace;
    this.lock = lock;
    this.session = opening.session;
    this.replaced = opening.replaced;
    this.name = writer.name();
    this.epoch = writer.epoch();
    this.positionAtOpen = taken.lost() || opening.replaced.isPresent() ? null : taken.found();
    this.position = new StorePosition(epoch, writer.batch());
    this.lastKey = writer.lastKey();
    this.lastFence = lock.fence(name).orElse(null);
  }

  /// Opens the store, makes it if the file does not exist, and takes over the file of a reference
  /// broker in place. A store that is damaged, or gone, is replaced: [#replaced].
  ///
  /// @throws StoreException of kind `FATAL` if it cannot be used, or another broker uses it
  public static SqliteStore open(SqliteOptions options) {
    Path file = realPath(options.path());
    WriterLock lock = WriterLock.take(file);
    try {
      var opening = Opening.of(file, lock);
      Session session = opening.session();
      try {
        OpenedWriter taken = take(session, lock, opening, file);
        DiskSpaceGuard diskSpace = DiskSpaceGuard.of(file, options);
        if (options.vacuumAtStart()) {
          rewriteIfMostlyFree(session, file, diskSpace);
        }
        lock.persist(taken.writer().name());
        return new SqliteStore(file, options.vacuumPages(), diskSpace, lock, opening, taken);
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

  /// Makes the caller the writer of a store that is what it was, or of what is left of it.
  private static OpenedWriter take(Session session, WriterLock lock, Opening opening, Path file)
      throws SQLException, IOException {
    Session.Writer former = session.writer();
    Optional<AtMostOnceFence> lost =
        lock.fence(former.name()).filter(fence -> fence.isAfter(former));
    long rows = 0;
    if (lost.isPresent()) {
      rows = session.countAsHandedOut(lost.get().latest(), System.currentTimeMillis());
    }
    Session.Writer writer = session.raiseEpoch(lost.map(AtMostOnceFence::epoch).orElse(0L));
    session.commit();
    if (lost.isPresent() && opening.replaced().isEmpty()) {
      LOG.error(
          "The store {} is not what it was when it was last written: its write-ahead log was"
              + " removed or cut off, or an old copy was put in its place. {} tasks that may run"
              + " only once may have been handed out since, and meet their failure policy",
          file,
          rows);
    }
    return new OpenedWriter(writer, new StorePosition(former.epoch(), former.batch()), lost.isPresent());
  }

  /// The writer that a store has now.
  ///
  /// @param found where its former writer had left it
  /// @param lost whether that is less than the lock says
  private record OpenedWriter(Session.Writer writer, StorePosition found, boolean lost) {}

  /// A session of a file without damage.
  ///
  /// @param replaced the damaged file that was in its place
  private record Opening(Session session, Optional<ReplacedStore> replaced) {
    /// A file that was a store of this name, as its lock says, and is damaged, is replaced; any
    /// other that is none is left to people.
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

  /// After a flood, what is left is written anew: where it is less than what is free, and there is
  /// room for two copies of it.
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
          "Gave {} free bytes of {} back in {} ms; {} are left",
          free,
          file,
          (System.nanoTime() - started) / 1_000_000,
          used);
    } catch (SQLException e) {
      LOG.warn("Could not give {} free bytes of {} back, and goes on without", free, file, e);
    }
  }

  @Override
  public String name() {
    return name;
  }

  /// If this store replaced a damaged one, that counts as far as it could be read.
  @Override
  public long lastKey() {
    return lastKey;
  }

  /// The damaged database in whose place this one was made when it was opened.
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

  /// What is known already to be lacking, from the lock or because the file was replaced, counts as
  /// there: it has been acted on.
  @Override
  public boolean lacks(StorePosition noted) {
    return positionAtOpen != null
        && noted.epoch() != epoch
        && (noted.epoch() > positionAtOpen.epoch()
            || (noted.epoch() == positionAtOpen.epoch() && noted.batch() > positionAtOpen.batch()));
  }

  /// Whether a broker may have noted something of this store that it may lack.
  public boolean hasHistory() {
    return positionAtOpen != null && positionAtOpen.epoch() > 0;
  }

  /// Whether the store has rows that may be handed out and may run only once.
  public boolean hasAtMostOnce() {
    return inTransaction("look for rows that may run only once", Session::hasAtMostOnce);
  }

  /// Counts as handed out what may run only once and may have been handed out since the store was
  /// what it is (G3): all that does not wait for a later time. To be called before rows are loaded.
  ///
  /// @param now milliseconds since the epoch
  /// @return how many rows that were
  public int countAsHandedOut(long now) {
    return inTransaction(
        "count what may have been handed out", session -> session.countAsHandedOut(now, now));
  }

  @Override
  public long firstKey() {
    return inTransaction("find the first row", Session::firstKey);
  }

  @Override
  public List<Row> load(long key, int limit) {
    return inTransaction("load rows", session -> session.rows.load(key, limit));
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    return inTransaction("load parked rows", session -> session.rows.loadParked(key, limit));
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
  public long size() {
    return inTransaction("measure the database", Session::size);
  }

  /// @return of a batch that was committed before, the outcomes that it had then
  @Override
  public List<Outcome> commit(WriteBatch batch) {
    long newest = batch.newestKey();
    List<Outcome> outcomes =
        inTransaction("commit a batch", session -> apply(session, batch, newest));
    lastKey = Math.max(lastKey, newest);
    position = new StorePosition(epoch, batch.number());
    AtMostOnceFence.of(epoch, batch).ifPresent(this::persistFence);
    return outcomes;
  }

  /// To be done before anything is handed out, and after it is durable that it will be: a crash
  /// between the two is no loss.
  private void persistFence(AtMostOnceFence fence) {
    AtMostOnceFence next = lastFence == null ? fence : fence.notBefore(lastFence);
    try {
      lock.persist(name, next);
      lastFence = next;
      handedOut = new StorePosition(fence.epoch(), fence.batch());
    } catch (IOException e) {
      throw new StoreException(
          Kind.TRANSIENT,
          "Could not note in the lock of %s what is handed out: %s".formatted(file, e),
          e);
    }
  }

  private List<Outcome> apply(Session session, WriteBatch batch, long newest) throws SQLException {
    List<Change> changes = batch.changes();
    if (!session.advance(epoch, batch.number(), Math.max(lastKey, newest))) {
      return outcomesOfRetry(session, batch);
    }
    if (newest != Row.NONE) {
      diskSpace.check(session);
    }
    Outcome[] outcomes = new Outcome[changes.size()];
    for (int i = 0; i < outcomes.length; i++) {
      outcomes[i] = session.changes.apply(changes.get(i));
    }
    lastBatch = batch.number();
    lastOutcomes = Collections.unmodifiableList(Arrays.asList(outcomes));
    return lastOutcomes;
  }

  private List<Outcome> outcomesOfRetry(Session session, WriteBatch batch) throws SQLException {
    Session.Writer writer = fence(session);
    if (writer.batch() != batch.number() || lastBatch != batch.number()) {
      throw new IllegalArgumentException(
          "Batch %d after batch %d".formatted(batch.number(), writer.batch()));
    }
    return lastOutcomes;
  }

  @Override
  public void maintain(long now) {
    long kept =
        inTransaction(
            "maintain the database",
            session -> {
              fence(session);
              session.purgeTombstones(now, PURGED_AT_ONCE);
              session.vacuum(vacuumPages);
              session.commit();
              return session.checkpoint();
            });
    if (kept > LOG_PAGES_TO_WARN_OF) {
      LOG.warn(
          "The write-ahead log of {} keeps {} pages because somebody has been reading the database"
              + " for long: end that read",
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
      LOG.warn("Could not close {}; what was committed is in it all the same", file, e);
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
        shrinkLog();
      }
      throw error;
    } catch (RuntimeException e) {
      rollback(false);
      throw e;
    }
  }

  /// Ends a transaction that failed.
  ///
  /// @param renew whether a statement may have failed, and not only what uses it
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

  /// Where there is no room for the log to grow, it is used again from its beginning once all of it
  /// is in the database: so that deletes can go where inserts cannot (H12).
  private void shrinkLog() {
    try {
      if (session != null) {
        session.checkpoint();
      }
    } catch (SQLException e) {
      LOG.debug("Could not shorten the log of {}", file, e);
      // That ends a transaction too, without which each statement would be one of its own.
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

  /// Links resolved, so that there is one lock for a file whatever it is called.
  private static Path realPath(Path path) {
    Path absolute = path.toAbsolutePath();
    try {
      if (Files.isDirectory(absolute)) {
        throw new StoreException(
            Kind.FATAL,
            "The store %s is a folder; give it the path of a file".formatted(path),
            null);
      }
      Path parent = absolute.getParent();
      Path name = absolute.getFileName();
      if (parent == null || name == null || !Files.isDirectory(parent)) {
        throw new StoreException(
            Kind.FATAL,
            "The folder %s of the store %s does not exist; make it, or give the store another path"
                .formatted(parent, path),
            null);
      }
      return Files.exists(absolute) ? absolute.toRealPath() : parent.toRealPath().resolve(name);
    } catch (IOException e) {
      throw new StoreException(Kind.FATAL, "Could not find the store %s: %s".formatted(path, e), e);
    }
  }

  /// Something to do with the database, in one transaction.
  private interface Work<T> {
    T in(Session session) throws SQLException;
  }
}
