package io.taskbroker.simulation;

import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/// Schedules of a store that fails before and after changes, loses replies and is full, and in
/// whose changes the process crashes.
final class FaultySchedules extends ForwardingSchedules {
  private final SimulatedProcess process;
  private final SimulatedWorld world;

  FaultySchedules(ScheduleStore store, SimulatedProcess process, SimulatedWorld world) {
    super(store);
    this.process = process;
    this.world = world;
  }

  @Override
  public Optional<ScheduleRow> find(String name) {
    mayFail();
    return super.find(name);
  }

  @Override
  public List<ScheduleRow> due(long afterDue, String afterName, long until, int limit) {
    mayFail();
    return super.due(afterDue, afterName, until, limit);
  }

  @Override
  public long nextDue(long time) {
    mayFail();
    return super.nextDue(time);
  }

  @Override
  public boolean create(ScheduleRow row) {
    return change(
        true,
        () -> {
          boolean done = super.create(row);
          if (done) {
            process.broker.ledger.schedules.created(process, row);
          }
          return done;
        });
  }

  @Override
  public boolean replace(ScheduleRow row, long version) {
    return change(
        true,
        () -> {
          boolean done = super.replace(row, version);
          if (done) {
            process.broker.ledger.schedules.replaced(process, row, version);
          }
          return done;
        });
  }

  @Override
  public boolean delete(String name) {
    return change(
        false,
        () -> {
          boolean done = super.delete(name);
          if (done) {
            process.broker.ledger.schedules.deleted(process, name);
          }
          return done;
        });
  }

  private boolean change(boolean needsSpace, BooleanSupplier body) {
    if (world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("before a change of a schedule");
    }
    mayFail();
    if (needsSpace && world.happens(Fault.STORE_IS_FULL)) {
      throw new StoreException(Kind.FULL, "random full disk", null);
    }
    boolean done = body.getAsBoolean();
    if (world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("after a change of a schedule");
    }
    if (world.happens(Fault.STORE_LOSES_REPLY)) {
      throw new StoreException(Kind.TRANSIENT, "changed, reply lost", null);
    }
    return done;
  }

  private void mayFail() {
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "random failure", null);
    }
  }
}
