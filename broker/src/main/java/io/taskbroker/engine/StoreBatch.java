package io.taskbroker.engine;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.inflight.api.StorePort;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreQuery;
import java.util.ArrayList;
import java.util.List;

/// Changes and queries of one round, handed over together at its end, queries behind the changes
/// made before them (H15). Confined to the engine's thread.
final class StoreBatch implements StorePort {
  private final CommitterPort committer;

  private List<Change> changes = new ArrayList<>();
  private List<StoreQuery> queries = new ArrayList<>();

  StoreBatch(CommitterPort committer) {
    this.committer = committer;
  }

  /// Ends a round: hands over the collected changes and queries, if any.
  void flush() {
    if (!changes.isEmpty() || !queries.isEmpty()) {
      List<Change> made = changes;
      List<StoreQuery> asked = queries;
      changes = new ArrayList<>(made.size() + 16);
      queries = new ArrayList<>();
      committer.submit(made, asked);
    }
  }

  @Override
  public void write(Change change) {
    changes.add(change);
  }

  @Override
  public void readParked(
      String application, int priority, long afterDue, long afterKey, long upTo, int limit) {
    queries.add(new ParkedQuery(application, priority, afterDue, afterKey, upTo, limit));
  }

  @Override
  public void readRows(List<Long> keys, Object owner) {
    queries.add(new StoreQuery.Rows(keys, owner));
  }

  @Override
  public void forwardReports(List<RemoteReport> reports, Object owner) {
    queries.add(new StoreQuery.ForwardReports(reports, owner));
  }

  @Override
  public void readReports(List<Long> keys, Object owner) {
    queries.add(new StoreQuery.ReadRemoteReports(keys, owner));
  }

  @Override
  public void readFinished(String id, Object owner) {
    queries.add(new StoreQuery.ReadFinished(id, owner));
  }

  @Override
  public void barrier(Object owner) {
    queries.add(new StoreQuery.Barrier(owner));
  }
}
