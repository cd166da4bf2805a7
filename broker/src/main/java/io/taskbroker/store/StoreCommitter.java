package io.taskbroker.store;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.runtime.Backoff;
import io.taskbroker.runtime.BatchFlusher;
import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.FlushFunction;
import io.taskbroker.runtime.HealthSource;
import io.taskbroker.runtime.Outage;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
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

/// Single thread that calls an [ActivationStore]: commits changes in batches, in submission order,
/// and answers queries in between. Thread-safe.
///
/// Reactions to a [StoreException]:
/// - `TRANSIENT`: retries the same batch, under the same number, without limit (H6);
/// - `FULL`: commits deletes, status updates and forwards first, inserts and watermarks once there
///   is space (H12);
/// - `DATA`: isolates the offending changes by bisecting the batch; replaces inserts, rejects other
///   changes and commits the rest in order (H12);
/// - `FATAL`, or any other exception: fails the stage (G9).
public final class StoreCommitter implements Service, Progress, HealthSource {
  private static final Logger log = LoggerFactory.getLogger(StoreCommitter.class);
  private static final String NAME = "store-committer";

  /// Maintenance waits for a moment without work, but not for more than so many of its intervals:
  /// under constant load there is no such moment.
  private static final int MOST_OVERDUE = 10;

  private final ActivationStore store;
  private final Listener listener;
  private final Ticker ticker;
  private final InstantSource clock;
  private final long maintenanceInterval;
  final BatchFlusher<Object> flusher; // of Change and StoreQuery
  private final AtomicLong done = new AtomicLong();
  private volatile boolean holding;
  private volatile boolean stopping;
  private volatile String fullReason = "";

  // The committer's thread only.
  private final StoreCommitterBacklog backlog;
  private final StoreCommitterQueries queries;
  private final Backoff fullBackoff;
  private final Outage full;
  private @Nullable Attempt attempt; // outcome unknown
  private boolean batchTaken; // whether a failed flush has already taken the flusher's batch
  private long retryHeldAt;
  private long maintainAt;

  public StoreCommitter(
      ActivationStore store, CommitOptions options, Listener listener, FailureSink failures) {
    this(store, options, listener, failures, SystemContext.system());
  }

  /// @param context its ticker measures intervals and waits, its clock gives the time for
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
    this.fullBackoff = new Backoff(options.backoffMin(), options.backoffMax(), context.random());
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

  /// Receiver of results. Called by the committer's thread, one call at a time; must not block and
  /// must not throw, which is fatal.
  public interface Listener {
    /// The changes are durable. Calls follow the submission order, except for H12.
    ///
    /// @param changes in submission order, without fenced ones; the listener owns the list
    /// @param outcomes the store's answer to each change; empty if all were applied
    void committed(List<Change> changes, List<ChangeOutcome> outcomes);

    /// The changes were not applied: this broker no longer owns their partitions (H10).
    ///
    /// @param changes in submission order; the listener owns the list
    default void fenced(List<Change> changes) {}

    /// Replacement of a row that the store cannot hold; if empty, [#rejected] follows.
    Optional<Change.Insert> replacement(RejectedInsert refusal);

    /// The store can never hold the change.
    void rejected(Change change, String why);

    /// The answer to a query.
    void parkedRead(ParkedQuery query, ParkedPage page);

    /// The answer to a query.
    default void rowsRead(StoreQuery.Rows query, List<Row> rows) {}

    /// The reports are durable.
    ///
    /// @param known for each report, whether the store has a row with its id
    default void reportsForwarded(StoreQuery.ForwardReports query, List<Boolean> known) {}

    /// The answer to a query.
    default void reportsRead(StoreQuery.ReadRemoteReports query, List<RemoteReport> reports) {}

    /// The answer to a query.
    default void finishedRead(StoreQuery.ReadFinished query, Optional<FinishedTask> found) {}

    /// The outcome of every earlier change is known and reported.
    default void barrierPassed(StoreQuery.Barrier barrier) {}

    /// A transaction of these changes was committed in `nanos` nanoseconds. Called before
    /// [#committed].
    default void transactionCommitted(List<Change> changes, long nanos) {}

    /// A transaction of these changes failed. The kind of failure decides what is retried, and
    /// when.
    default void failed(List<Change> changes, StoreException failure) {}

    /// Maintenance finished in `nanos` nanoseconds.
    default void maintained(long nanos) {}

    /// The committer is idle. May use the store; an exception is handled as for a failed commit.
    ///
    /// @return nanoseconds until the next call if nothing is committed before
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

  /// Submits changes, and queries to answer once all earlier changes and these are durable; an
  /// answer may also show later changes. Takes one lock, never blocks and never refuses: the caller
  /// bounds what is outstanding (G7, H14). Copies the lists.
  ///
  /// Submissions after [#stop], or after the stage has failed, are dropped without notice.
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

  /// Changes that wait for space do not count: the store's bound holds them back, and a broker that
  /// is not ready receives no reports, which would make space (H12, H25).
  @Override
  public boolean hasWork() {
    return flusher.hasWork();
  }

  /// Number of commits, rejections and answers.
  @Override
  public long done() {
    return done.get();
  }

  @Override
  public List<Condition> conditions() {
    String full = fullReason;
    if (!full.isEmpty()) {
      return List.of(new Condition(Condition.Kind.STORE_FULL, NAME, full));
    }
    String failure = flusher.failure();
    return failure.isEmpty()
        ? List.of()
        : List.of(new Condition(Condition.Kind.STORE_UNAVAILABLE, NAME, failure));
  }

  /// Commits what was submitted, within the stop timeout. Does not close the store.
  ///
  /// @throws IllegalStateException if some changes are not known to be durable
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

  /// Commits and answers what it can. After a failure the state is unchanged and the next call
  /// resumes.
  private void commitAndAnswer() {
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
    List<ChangeOutcome> outcomes;
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
    if (isAllApplied(outcomes)) {
      outcomes = List.of();
    } else if (outcomes.contains(ChangeOutcome.FENCED)) {
      fenced = withFenced(next.changes(), outcomes, true);
      committed = withFenced(next.changes(), outcomes, false);
      outcomes = outcomes.stream().filter(each -> each != ChangeOutcome.FENCED).toList();
    }
    listener.transactionCommitted(committed, ticker.nanoTime() - begun);
    backlog.succeeded(next);
    if (!fullReason.isEmpty() && !backlog.holds()) {
      fullReason = "";
    }
    done.incrementAndGet();
    if (next.held() && !backlog.holds()) {
      log.info(
          "The store has space again: all changes held back for {} ms are stored", full.millis());
      full.over();
      fullBackoff.reset();
    }
    if (!fenced.isEmpty()) {
      listener.fenced(fenced);
    }
    if (!committed.isEmpty()) {
      listener.committed(committed, outcomes);
    }
  }

  private static boolean isAllApplied(List<ChangeOutcome> outcomes) {
    for (int i = 0; i < outcomes.size(); i++) { // allocates no iterator
      if (outcomes.get(i) != ChangeOutcome.APPLIED) {
        return false;
      }
    }
    return true;
  }

  private static List<Change> withFenced(
      List<Change> changes, List<ChangeOutcome> outcomes, boolean fenced) {
    List<Change> selected = new ArrayList<>();
    for (int i = 0; i < changes.size(); i++) {
      if ((outcomes.get(i) == ChangeOutcome.FENCED) == fenced) {
        selected.add(changes.get(i));
      }
    }
    return selected;
  }

  private void isolate(Attempt next, StoreException e) {
    if (next.changes().size() > 1) {
      backlog.divide(next);
      return;
    }
    Change offender = next.changes().getFirst();
    String why = String.valueOf(e.getMessage());
    log.atError()
        .addKeyValue("task_id", offender.id())
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
    fullReason = String.valueOf(e.getMessage());
    if (!backlog.makeRoom(next)) {
      throw e;
    }
    if (backlog.holds()) {
      retryHeldAt = ticker.nanoTime() + fullBackoff.nextNanos();
      if (full.failed()) {
        log.warn(
            "The store is full; {} changes have waited {} ms for space, deletes continue: {}",
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
      log.warn("Store maintenance failed; next attempt after the maintenance interval", e);
    }
  }

  /// Description of a change for log messages, without payload.
  private static String describe(Change change) {
    return switch (change) {
      case Change.Insert insert -> "the insert of " + insert.id();
      case Change.Fire fire -> "the task of a schedule, " + fire.id();
      case Change.UpdateStatus update -> "the status update of " + update.id();
      case Change.ChangeDelay delay -> "the new delay of " + delay.id();
      case Change.ChangePriority priority -> "the new priority of " + priority.id();
      case Change.ConfirmOffset confirm -> "the offset confirmation of " + confirm.id();
      case Change.Retry retry -> "the retry of " + retry.id();
      case Change.Forward forward -> "the forward of " + forward.id();
      case Change.Delete delete -> "the delete of " + delete.id();
      case Change.AdvanceWatermark advance -> "the watermark of " + advance.partition();
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
      commitAndAnswer();
      batchTaken = false;
      if (maintainAt + MOST_OVERDUE * maintenanceInterval - ticker.nanoTime() <= 0) {
        maintain();
      }
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
      return item instanceof Change.Insert
          || item instanceof Change.Fire
          || item instanceof StoreQuery;
    }

    /// Keeps a record and the watermark behind it in one transaction: the next owner of the
    /// partition sees both or neither (H1, G3).
    @Override
    public boolean isJoined(Object item) {
      return item instanceof Change.Insert(var row, _)
          && row.activation().origin().partition() >= 0;
    }

    @Override
    public long idle() {
      if (stopping) {
        retryHeldAt = ticker.nanoTime(); // last attempt
      }
      if (attempt != null || backlog.holds() || !queries.isEmpty()) {
        commitAndAnswer();
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
