package io.taskbroker.engine;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Refusal;
import io.taskbroker.activation.Reported;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Intake;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreCommitter;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.telemetry.Metrics;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/// Tells the engine what the committer did, and how large the store is, and ingest what of Kafka is
/// done with: now and then, and for the last time after the last commit, so that a store that was
/// full is not taken for full when it is not, and nothing is committed that would show it. Confined
/// to the committer's thread.
public final class StoreFeed implements StoreCommitter.Listener {
  private static final long SIZE_NANOS = 500_000_000;

  private final ActivationStore store;
  private final Intake intake;
  private final Ticker ticker;
  private final String deadLetterTopic;
  private final CommitCounts counts;
  private final Consumer<Map<SourcePartition, Long>> lows;
  private final LowOffsets lowOffsets = new LowOffsets();
  private long sizedAt;
  private boolean sized;

  /// @param deadLetterTopic where records go that the store cannot hold
  /// @param lows told from which offset on records of each partition may be in flight
  public StoreFeed(
      ActivationStore store,
      Intake intake,
      String deadLetterTopic,
      Metrics metrics,
      Consumer<Map<SourcePartition, Long>> lows) {
    this(store, intake, deadLetterTopic, metrics, lows, Ticker.SYSTEM);
  }

  /// @param ticker measures how long ago the size was told
  StoreFeed(
      ActivationStore store,
      Intake intake,
      String deadLetterTopic,
      Metrics metrics,
      Consumer<Map<SourcePartition, Long>> lows,
      Ticker ticker) {
    this.store = store;
    this.intake = intake;
    this.ticker = ticker;
    this.deadLetterTopic = deadLetterTopic;
    this.lows = lows;
    this.counts = new CommitCounts(metrics, InstantSource.system());
    this.sizedAt = ticker.nanoTime() - SIZE_NANOS;
  }

  @Override
  public void took(List<Change> changes, long nanos) {
    counts.committed(changes, nanos);
  }

  @Override
  public void failed(List<Change> changes, StoreException failure) {
    counts.failed(changes, failure.kind() == StoreException.Kind.TRANSIENT);
  }

  @Override
  public void maintained(long nanos) {
    counts.maintained(nanos);
  }

  @Override
  public void committed(List<Change> changes) {
    intake.tell(new Command.Committed(changes));
    sized = false;
    size();
  }

  @Override
  public void fenced(List<Change> changes) {
    intake.tell(new Command.Fenced(changes));
  }

  @Override
  public long idle() {
    return sized ? Long.MAX_VALUE : size();
  }

  /// Tells the size, unless it was told a moment ago.
  ///
  /// @return nanoseconds until it may be told; [Long#MAX_VALUE] if it was
  private long size() {
    long wait = SIZE_NANOS - (ticker.nanoTime() - sizedAt);
    if (wait > 0) {
      return wait;
    }
    intake.tell(new Command.StoreSized(store.size()));
    lows.accept(lowOffsets.observe(store.firstKey(), store.lastKey(), store.watermarks()));
    sizedAt = ticker.nanoTime();
    sized = true;
    return Long.MAX_VALUE;
  }

  @Override
  public Optional<Change.Insert> replacement(Refusal refusal) {
    return refusal.replacement(deadLetterTopic);
  }

  @Override
  public void rejected(Change change, String why) {
    intake.tell(new Command.Rejected(change, why));
  }

  @Override
  public void read(ParkedQuery query, ParkedPage page) {
    intake.tell(
        new Command.ParkedRead(query.application(), page.rows(), page.nextDue(), query.upTo()));
  }

  @Override
  public void read(StoreQuery.OneRow query, Optional<Row> row) {
    intake.tell(new Command.RowRead(row.orElse(null), query.owner()));
  }

  @Override
  public void passedOn(StoreQuery.PassOn query, List<Boolean> known) {
    intake.tell(new Command.PassedOn(known, query.owner()));
  }

  @Override
  public void recorded(StoreQuery.Recorded query, List<Reported> reports) {
    intake.tell(new Command.ReportsRead(reports, query.owner()));
  }

  @Override
  public void passed(StoreQuery.Barrier barrier) {
    intake.tell(new Command.BarrierPassed(barrier.owner()));
  }
}
