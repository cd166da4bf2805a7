package io.taskbroker.simulation;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Watermark;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.WriteBatch;
import java.util.List;
import java.util.Optional;

/// Store that delegates everything; subclasses override.
class ForwardingStore implements ActivationStore {
  private final ActivationStore store;

  ForwardingStore(ActivationStore store) {
    this.store = store;
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    return store.commit(batch);
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    return store.due(query);
  }

  @Override
  public List<Row> rows(List<Long> keys) {
    return store.rows(keys);
  }

  @Override
  public List<Boolean> report(List<RemoteReport> reports) {
    return store.report(reports);
  }

  @Override
  public List<RemoteReport> reports(List<Long> keys) {
    return store.reports(keys);
  }

  @Override
  public Optional<FinishedTask> finished(String id) {
    return store.finished(id);
  }

  @Override
  public ScheduleStore schedules() {
    return store.schedules();
  }

  @Override
  public long firstKey() {
    return store.firstKey();
  }

  @Override
  public String name() {
    return store.name();
  }

  @Override
  public long lastKey() {
    return store.lastKey();
  }

  @Override
  public List<Row> load(long key, int limit) {
    return store.load(key, limit);
  }

  @Override
  public List<ParkedRow> loadParked(long key, int limit) {
    return store.loadParked(key, limit);
  }

  @Override
  public List<Watermark> watermarks() {
    return store.watermarks();
  }

  @Override
  public List<Tombstone> tombstones(long now) {
    return store.tombstones(now);
  }

  @Override
  public long size() {
    return store.size();
  }

  @Override
  public void maintain(long now) {
    store.maintain(now);
  }

  @Override
  public void close() {
    store.close();
  }
}
