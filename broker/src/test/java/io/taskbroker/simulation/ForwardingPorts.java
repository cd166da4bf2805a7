package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.store.StoreQuery;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// AllPorts that delegate everything; subclasses override.
class ForwardingPorts implements AllPorts {
  private final AllPorts ports;

  ForwardingPorts(AllPorts ports) {
    this.ports = ports;
  }

  @Override
  public void submit(List<Change> changes, List<StoreQuery> queries) {
    ports.submit(changes, queries);
  }

  @Override
  public void push(Delivery delivery) {
    ports.push(delivery);
  }

  @Override
  public void produce(OutboxRecord record) {
    ports.produce(record);
  }

  @Override
  public void consumed(
      SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
    ports.consumed(partition, nextOffset, records, bytes, urgent);
  }

  @Override
  public void waitsForRoom(SourcePartition partition, @Nullable String application) {
    ports.waitsForRoom(partition, application);
  }

  @Override
  public void drained(SourcePartition partition) {
    ports.drained(partition);
  }

  @Override
  public void lost(SourcePartition partition) {
    ports.lost(partition);
  }

  @Override
  public void unexpected(Change change, ChangeOutcome outcome) {
    ports.unexpected(change, outcome);
  }

  @Override
  public void event(EngineEvent notice, Activation about, long age, String detail) {
    ports.event(notice, about, age, detail);
  }

  @Override
  public void event(EngineEvent notice, String id, String detail) {
    ports.event(notice, id, detail);
  }
}
