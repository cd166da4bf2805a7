package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.runtime.Backoff;
import io.taskbroker.runtime.BatchFlusher;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.FlushFunction;
import io.taskbroker.runtime.Outage;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore.Outcome;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreCommitterBacklog.Attempt;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one thread that calls an [ActivationStore]: commits changes in groups, in the order in which
/// they were submitted, and answers queries in between. Thread-safe.
///
/// What a [StoreException] means here:
/// - `TRANSIENT`: the same batch again, under the same number, for as long as it takes (H6);
/// - `FULL`: deletes, marks and leaves first, inserts and watermarks when there is space (H12);
/// - `DATA`: the changes at fault are found by halving the batch; inserts are replaced, others
///   rejected, the rest is committed in order (H12);
/// - `FATAL`, or any other exception: the stage has failed (G9).
public final class StoreCommitter implements Service, Progress {
  private static final Logger log = LoggerFactory.getLogger(StoreCommitter.class);
  private static final String NAME = "store-committer";

  private final ActivationStore store;
  private final Listener listener;
  private final Ticker ticker;
  private final InstantSource clock;
  private final long maintenanceInterval;
  final BatchFlusher<Object> flusher; // of Change and StoreQuery
  private final AtomicLong done = new AtomicLong();
  private volatile boolean holding;
  private volatile boolean stopping;

  // The committer's thread only.
  private final StoreCommitterBacklog backlog;
  private final StoreCommitterQueries queries;
  private final Backoff fullBackoff;
  private final Outage full;
  private @Nullable Attempt attempt; // whose fate is not known
  private boolean batchTaken; // the flusher's batch, by a flush that then failed
  private long retryHeldAt;
  private long maintainAt;

  public StoreCommitter(
      ActivationStore store, CommitOptions options, Listener listener, FailureSink failures) {
    this(store, options, listener, failures, SystemContext.system());
  }

  /// @param surroundings the ticker measures intervals and waits, the clock tells the time to
  ///   [ActivationStore#maintain]
  StoreCommitter(
      ActivationStore store,
      CommitOptions options,
      Listener listener,
      FailureSink failures,
      SystemContext context) {
    this.store = store;
    this.listener = listener;
    this.ticker = context.ticker();
    this.clock = context.clock();
    this.backlog = new StoreCommitterBacklog(options.batchSize());
    this.queries =
        new StoreCommitterQueries(store, listener, options.batchSize(), done::incrementAndGet);
    this.fullBackoff =
        new Backoff(options.backoffMin(), options.backoffMax(), context.random());
    this.full = new Outage(ticker);
    this.maintenanceInterval = options.maintenanceInterval().toNanos();
    this.maintainAt = ticker.nanoTime() + maintenanceInterval;
    this.flusher =
        new BatchFlusher<>(
            new BatchFlusher.Options(
                NAME,
                options.batchSize(),
                Integer.MAX_VALUE,
                options.interval(),
                options.backoffMin(),
                options.backoffMax(),
                options.stopTimeout()),
            new Commits(),
            failures,
            ticker,
            context.random());
  }

  /// Who is told what became of what was submitted. Called by the committer's thread, one call at a
  /// time: must not block, and must not throw, which would be fatal.
  public interface Listener {
    /// The changes are durable. Of changes that were submitted before others, this is said before,
    /// except for H12.
    ///
    /// @param changes in the order in which they were submitted; the list is the listener's
    void committed(List<Change> changes);

    /// The changes were not made: their partitions are not this broker's any more (H10).
    ///
    /// @param changes in the order in which they were submitted; the list is the listener's
    default void fenced(List<Change> changes) {}

    /// What to store in the place of a row that the store cannot hold; empty if there is nothing,
    /// which is then told as [#rejected].
    Optional<Change.Insert> replacement(RejectedInsert refusal);

    /// The store cannot hold the change, whatever is tried.
    void rejected(Change change, String why);

    /// The answer to a query.
    void parkedRead(ParkedQuery query, ParkedPage page);

    /// The answer to a query.
    default void rowsRead(StoreQuery.Rows query, List<Row> rows) {}

    /// The reports are durable.
    ///
    /// @param known of each whether the store has a row of its id
    default void reportsForwarded(StoreQuery.ForwardReports query, List<Boolean> known) {}

    /// The answer to a query.
    default void reportsRead(StoreQuery.ReadRemoteReports query, List<RemoteReport> reports) {}

    /// The fate of every change that was submitted before is known, and told.
    default void barrierPassed(StoreQuery.Barrier barrier) {}

    /// A transaction of these changes was committed, and took so long. Said before [#committed].
    default void transactionCommitted(List<Change> changes, long nanos) {}

    /// A transaction of these changes failed. What of them is tried again, and when, depends on the
    /// kind of the failure.
    default void failed(List<Change> changes, StoreException failure) {}

    /// Maintenance was done, and took so long.
    default void maintained(long nanos) {}

    /// Nothing waits to be committed. May use the store; what that throws is treated as a failed
    /// commit is.
    ///
    /// @return nanoseconds until to be called again if nothing is committed before
    default long idle() {
      return Long.MAX_VALUE;
    }
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public void start() {
    flusher.start();
  }

  /// Hands over changes, and queries that are to be answered when all changes submitted before, and
  /// these, are durable; an answer may also show changes that were submitted after it. Takes one
  /// lock, never blocks, and never refuses: who submits bounds what is outstanding (G7, H14). The
  /// lists are copied, and may be used again at once.
  ///
  /// What is submitted after [#stop], or after the stage has failed, is dropped, and nobody is told
  /// of it.
  public void submit(List<Change> changes, List<? extends StoreQuery> asked) {
    if (asked.isEmpty()) {
      boolean _ = flusher.offerAll(changes);
      return;
    }
    List<Object> both = new ArrayList<>(changes.size() + asked.size());
    both.addAll(changes);
    both.addAll(asked);
    boolean _ = flusher.offerAll(both);
  }

  /// What waits for space does not count: it is a bound that holds it back, and a broker that is
  /// not ready is not told of what was completed, which would make space (H12, H25).
  @Override
  public boolean hasWork() {
    return flusher.hasWork();
  }

  /// Grows with every commit, rejection and answer.
  @Override
  public long done() {
    return done.get();
  }

  /// Commits what was submitted, within the stop timeout. Does not close the store.
  ///
  /// @throws IllegalStateException if not everything is known to be durable
  @Override
  public void stop() {
    if (stopping) {
      return;
    }
    stopping = true;
    flusher.close();
    if (holding) {
      throw new IllegalStateException(
          NAME + " stopped with changes that are not durable: the store is full");
    }
  }

  /// Commits and answers what can be now. What fails stays as it is, to be gone on with.
  private void work() {
    Attempt next = attempt != null ? attempt : nextAttempt();
    while (next != null) {
      attempt = next;
      commit(next);
      next = nextAttempt();
    }
    if (!queries.answer(backlog, retryHeldAt - ticker.nanoTime() <= 0)) {
      retryHeldAt = ticker.nanoTime() + fullBackoff.nextNanos();
    }
    holding = backlog.holds() || !queries.isEmpty();
  }

  private @Nullable Attempt nextAttempt() {
    return backlog.next(retryHeldAt - ticker.nanoTime() <= 0);
  }

  private void commit(Attempt next) {
    long begun = ticker.nanoTime();
    List<Outcome> outcomes;
    try {
      outcomes = store.commit(next.batch());
    } catch (StoreException e) {
      listener.failed(next.changes(), e);
      switch (e.kind()) {
        case TRANSIENT, FATAL -> throw e;
        case DATA -> isolate(next, e);
        case FULL -> makeRoom(next, e);
      }
      attempt = null;
      return;
    }
    attempt = null;
    List<Change> committed = next.changes();
    List<Change> fenced = List.of();
    if (outcomes.contains(Outcome.FENCED)) {
      fenced = those(next.changes(), outcomes, true);
      committed = those(next.changes(), outcomes, false);
    }
    listener.transactionCommitted(committed, ticker.nanoTime() - begun);
    backlog.succeeded(next);
    done.incrementAndGet();
    if (next.held() && !backlog.holds()) {
      log.info("There is space again: everything held back for {} ms is stored", full.millis());
      full.over();
      fullBackoff.reset();
    }
    if (!fenced.isEmpty()) {
      listener.fenced(fenced);
    }
    if (!committed.isEmpty()) {
      listener.committed(committed);
    }
  }

  private static List<Change> those(List<Change> changes, List<Outcome> outcomes, boolean fenced) {
    List<Change> those = new ArrayList<>();
    for (int i = 0; i < changes.size(); i++) {
      if ((outcomes.get(i) == Outcome.FENCED) == fenced) {
        those.add(changes.get(i));
      }
    }
    return those;
  }

  private void isolate(Attempt next, StoreException e) {
    if (next.changes().size() > 1) {
      backlog.divide(next);
      return;
    }
    Change offender = next.changes().getFirst();
    String why = String.valueOf(e.getMessage());
    log.atError()
        .addKeyValue("task_id", id(offender))
        .log("The store cannot hold {}: {}", describe(offender), why);
    done.incrementAndGet();
    if (offender instanceof Change.Insert insert) {
      var replacement = listener.replacement(new RejectedInsert(insert, why));
      if (replacement.isPresent()) {
        backlog.replace(next, replacement.get());
        return;
      }
    }
    backlog.drop(next);
    listener.rejected(offender, why);
  }

  private void makeRoom(Attempt next, StoreException e) {
    if (!backlog.makeRoom(next)) {
      throw e;
    }
    if (backlog.holds()) {
      retryHeldAt = ticker.nanoTime() + fullBackoff.nextNanos();
      if (full.failed()) {
        log.warn(
            "The store is full, {} changes wait for space since {} ms; deletes go on: {}",
            backlog.heldChanges(),
            full.millis(),
            e.getMessage());
      }
    }
  }

  private void maintain() {
    maintainAt = ticker.nanoTime() + maintenanceInterval;
    try {
      long begun = ticker.nanoTime();
      store.maintain(clock.millis());
      listener.maintained(ticker.nanoTime() - begun);
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.FATAL) {
        throw e;
      }
      log.warn("Maintenance of the store failed, and waits for its next turn", e);
    }
  }

  /// The id of the activation that a change is about; empty if it is about none.
  private static String id(Change change) {
    return switch (change) {
      case Change.Insert(var row, _) -> row.activation().id();
      case Change.UpdateStatus mark -> mark.id();
      case Change.ConfirmOffset prove -> prove.id();
      case Change.Forward forward -> forward.id();
      case Change.Delete delete -> delete.id();
      case Change.AdvanceWatermark _, Change.OffsetCommitted _ -> "";
    };
  }

  /// Names a change in a message, without what is in it.
  private static String describe(Change change) {
    return switch (change) {
      case Change.Insert(var row, _) -> "the insert of " + row.activation().id();
      case Change.UpdateStatus mark -> "the mark of " + mark.id();
      case Change.ConfirmOffset prove -> "the proof of " + prove.id();
      case Change.Forward forward -> "the leaving state of " + forward.id();
      case Change.Delete delete -> "the delete of " + delete.id();
      case Change.AdvanceWatermark consumed -> "the consumed offset of " + consumed.partition();
      case Change.OffsetCommitted committed -> "the committed offset of " + committed.partition();
    };
  }

  private final class Commits implements FlushFunction<Object> {
    @Override
    public void flush(List<Object> batch) {
      if (!batchTaken) {
        take(batch);
        batchTaken = true;
      }
      work();
      batchTaken = false;
    }

    private void take(List<Object> batch) {
      List<Change> changes = new ArrayList<>(batch.size());
      for (Object item : batch) {
        if (item instanceof Change change) {
          changes.add(change);
        } else {
          queries.add((StoreQuery) item);
        }
      }
      backlog.add(changes);
    }

    @Override
    public boolean isFatal(Exception failure) {
      return !(failure instanceof StoreException e)
          || e.kind() == StoreException.Kind.FATAL
          || e.kind() == StoreException.Kind.DATA;
    }

    @Override
    public boolean isUrgent(Object item) {
      return item instanceof Change.Insert || item instanceof StoreQuery;
    }

    /// A record and the watermark behind it: whoever reads the partition next sees both or neither
    /// (H1, G3).
    @Override
    public boolean isJoined(Object item) {
      return item instanceof Change.Insert(var row, _)
          && row.activation().origin().partition() >= 0;
    }

    @Override
    public long idle() {
      if (stopping) {
        retryHeldAt = ticker.nanoTime(); // for the last time
      }
      if (attempt != null || backlog.holds() || !queries.isEmpty()) {
        work();
      } else if (!stopping && maintainAt - ticker.nanoTime() <= 0) {
        maintain();
      }
      long listenerAfter = listener.idle();
      return Math.min(
          listenerAfter,
          (backlog.holds() || !queries.isEmpty() ? retryHeldAt : maintainAt) - ticker.nanoTime());
    }
  }
}
