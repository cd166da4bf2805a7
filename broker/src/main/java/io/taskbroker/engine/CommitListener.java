package io.taskbroker.engine;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
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

/// Forwards the committer's results to the engine at once; reports the store's size to the engine
/// and the start offsets to ingest at most every 500 ms. Reports once more after the last commit:
/// otherwise a store that was full would look full for ever, since nothing more is committed.
/// Confined to the committer's thread.
public final class CommitListener implements StoreCommitter.Listener {
  private static final long SIZE_INTERVAL_NANOS = 500_000_000;

  private final ActivationStore store;
  private final CommandSink commands;
  private final Ticker ticker;
  private final String deadLetterTopic;
  private final CommitCounts counts;
  private final Consumer<Map<SourcePartition, Long>> startOffsets;
  private final StartOffsets startOffsetTracker = new StartOffsets();
  private long sizeReportedAt;
  private boolean sizeReported;

  /// @param deadLetterTopic topic of records that the store cannot hold
  /// @param startOffsets receives the lowest offset of each partition that may be in flight
  public CommitListener(
      ActivationStore store,
      CommandSink commands,
      String deadLetterTopic,
      Metrics metrics,
      Consumer<Map<SourcePartition, Long>> startOffsets) {
    this(store, commands, deadLetterTopic, metrics, startOffsets, Ticker.SYSTEM);
  }

  /// @param ticker measures the time since the last size report
  CommitListener(
      ActivationStore store,
      CommandSink commands,
      String deadLetterTopic,
      Metrics metrics,
      Consumer<Map<SourcePartition, Long>> startOffsets,
      Ticker ticker) {
    this.store = store;
    this.commands = commands;
    this.ticker = ticker;
    this.deadLetterTopic = deadLetterTopic;
    this.startOffsets = startOffsets;
    this.counts = new CommitCounts(metrics, InstantSource.system());
    this.sizeReportedAt = ticker.nanoTime() - SIZE_INTERVAL_NANOS;
  }

  @Override
  public void transactionCommitted(List<Change> changes, long nanos) {
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
  public void committed(List<Change> changes, List<ChangeOutcome> outcomes) {
    commands.submit(new Command.Committed(changes, outcomes));
    sizeReported = false;
    reportSize();
  }

  @Override
  public void fenced(List<Change> changes) {
    commands.submit(new Command.Fenced(changes));
  }

  @Override
  public long idle() {
    return sizeReported ? Long.MAX_VALUE : reportSize();
  }

  /// Reports size and start offsets, unless the last report is less than 500 ms old.
  ///
  /// @return nanoseconds until the next report is allowed; [Long#MAX_VALUE] if it reported now
  private long reportSize() {
    long wait = SIZE_INTERVAL_NANOS - (ticker.nanoTime() - sizeReportedAt);
    if (wait > 0) {
      return wait;
    }
    commands.submit(new Command.StoreSizeMeasured(store.size()));
    startOffsets.accept(
        startOffsetTracker.observe(store.firstKey(), store.lastKey(), store.watermarks()));
    sizeReportedAt = ticker.nanoTime();
    sizeReported = true;
    return Long.MAX_VALUE;
  }

  @Override
  public Optional<Change.Insert> replacement(RejectedInsert refusal) {
    return refusal.replacement(deadLetterTopic);
  }

  @Override
  public void rejected(Change change, String why) {
    commands.submit(new Command.Rejected(change, why));
  }

  @Override
  public void parkedRead(ParkedQuery query, ParkedPage page) {
    commands.submit(
        new Command.ParkedRead(
            query.application(), query.priority(), page.rows(), page.nextDue(), query.upTo()));
  }

  @Override
  public void rowsRead(StoreQuery.Rows query, List<Row> rows) {
    commands.submit(new Command.RowsRead(rows, query.owner()));
  }

  @Override
  public void reportsForwarded(StoreQuery.ForwardReports query, List<Boolean> known) {
    commands.submit(new Command.ReportsForwarded(known, query.owner()));
  }

  @Override
  public void reportsRead(StoreQuery.ReadRemoteReports query, List<RemoteReport> reports) {
    commands.submit(new Command.ReportsRead(reports, query.owner()));
  }

  @Override
  public void finishedRead(StoreQuery.ReadFinished query, Optional<FinishedTask> found) {
    commands.submit(new Command.FinishedRead(found.orElse(null), query.owner()));
  }

  @Override
  public void barrierPassed(StoreQuery.Barrier barrier) {
    commands.submit(new Command.BarrierPassed(barrier.owner()));
  }
}
