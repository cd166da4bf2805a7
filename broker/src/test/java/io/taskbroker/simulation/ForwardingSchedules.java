package io.taskbroker.simulation;

import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.store.ScheduleStore;
import java.util.List;
import java.util.Optional;

/// Schedules of a store that delegate everything; subclasses override.
class ForwardingSchedules implements ScheduleStore {
  private final ScheduleStore store;

  ForwardingSchedules(ScheduleStore store) {
    this.store = store;
  }

  @Override
  public Optional<ScheduleRow> find(String name) {
    return store.find(name);
  }

  @Override
  public List<ScheduleRow> page(String after, int limit, int bytes) {
    return store.page(after, limit, bytes);
  }

  @Override
  public List<ScheduleRow> due(long afterDue, String afterName, long until, int limit) {
    return store.due(afterDue, afterName, until, limit);
  }

  @Override
  public long nextDue(long time) {
    return store.nextDue(time);
  }

  @Override
  public int count() {
    return store.count();
  }

  @Override
  public boolean create(ScheduleRow row) {
    return store.create(row);
  }

  @Override
  public boolean replace(ScheduleRow row, long version) {
    return store.replace(row, version);
  }

  @Override
  public boolean delete(String name) {
    return store.delete(name);
  }
}
