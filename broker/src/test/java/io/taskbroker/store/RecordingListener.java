package io.taskbroker.store;

import static org.awaitility.Awaitility.await;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/// Listener that records all calls.
final class RecordingListener implements StoreCommitter.Listener {
  final List<List<Change>> groups = new CopyOnWriteArrayList<>();
  final List<Change> committed = new CopyOnWriteArrayList<>();

  /// Outcomes of each group; empty if all its changes were applied.
  final List<List<ChangeOutcome>> outcomes = new CopyOnWriteArrayList<>();

  final List<Change> rejected = new CopyOnWriteArrayList<>();
  final List<RejectedInsert> refused = new CopyOnWriteArrayList<>();

  /// Whether rejected inserts get a replacement.
  volatile boolean replaces;

  final List<Read> reads = new CopyOnWriteArrayList<>();

  /// @param seen number of changes committed when the page was read
  record Read(ParkedQuery query, long seen) {}

  @Override
  public void committed(List<Change> changes, List<ChangeOutcome> outcomes) {
    groups.add(changes);
    committed.addAll(changes);
    this.outcomes.add(outcomes);
  }

  @Override
  public Optional<Change.Insert> replacement(RejectedInsert refusal) {
    if (!replaces) {
      return Optional.empty();
    }
    refused.add(refusal);
    return refusal.replacement("dead-letters");
  }

  @Override
  public void rejected(Change change, String why) {
    rejected.add(change);
  }

  @Override
  public void parkedRead(ParkedQuery query, ParkedPage page) {
    reads.add(new Read(query, page.nextDue()));
  }

  void awaitCommitted(int changes) {
    await().until(() -> committed.size() >= changes);
  }

  void awaitReads(int count) {
    await().until(() -> reads.size() >= count);
  }
}
