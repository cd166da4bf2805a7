package io.taskbroker.simulation;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.engine.Outlets;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.store.StoreQuery;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Outlets that delegate everything; subclasses override.
class ForwardingOutlets implements Outlets {
  private final Outlets outlets;

  ForwardingOutlets(Outlets outlets) {
    this.outlets = outlets;
  }

  @Override
  public void commit(List<Change> changes, List<StoreQuery> queries) {
    outlets.commit(changes, queries);
  }

  @Override
  public void push(Delivery delivery) {
    outlets.push(delivery);
  }

  @Override
  public void produce(OutboxRecord record) {
    outlets.produce(record);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    outlets.consumed(partition, nextOffset, records, bytes, urgent);
  }

  @Override
  public void stands(SourcePartition partition, @Nullable String application) {
    outlets.stands(partition, application);
  }

  @Override
  public void drained(SourcePartition partition) {
    outlets.drained(partition);
  }

  @Override
  public void lost(SourcePartition partition) {
    outlets.lost(partition);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    outlets.unexpected(change, outcome);
  }

  @Override
  public void notice(Notice notice, String id, String detail) {
    outlets.notice(notice, id, detail);
  }
}
