package io.taskbroker.simulation;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Store that fails before and after commits, loses replies, fills up, refuses some rows, and in
/// whose commits the process crashes.
final class FaultyStore extends ForwardingStore {
  private final SimulatedProcess process;
  private final SimulatedWorld world;
  private final SeedPlan plan;
  private long applied = -1;
  private long tried = -1;
  private @Nullable WriteBatch ghost;

  FaultyStore(
      ActivationStore store, SimulatedProcess process, SimulatedWorld world, SeedPlan plan) {
    super(store);
    this.process = process;
    this.world = world;
    this.plan = plan;
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch given) {
    if (given.number() == applied) {
      return super.commit(given);
    }
    WriteBatch batch = withLocks(given);
    ghost = null;
    boolean again = batch.number() == tried;
    tried = batch.number();
    if (world.diesHere() || world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("before the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "random failure", null);
    }
    boolean needsSpace = batch.changes().stream().anyMatch(FaultyStore::needsSpace);
    if (needsSpace && (isOverLimit() || world.happens(Fault.STORE_IS_FULL))) {
      throw new StoreException(Kind.FULL, "random full disk", null);
    }
    for (Change change : batch.changes()) {
      Row row = newRow(change);
      if (row != null && process.broker.cannotHold(row)) {
        process.broker.ledger.rejected(process, row);
        throw new StoreException(Kind.DATA, "row refused", null);
      }
    }
    if (world.diesHere()) {
      commitLate(batch);
      throw new Crash("in the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_GHOST)) {
      commitLate(batch);
      throw new StoreException(Kind.TRANSIENT, "outcome unknown", null);
    }
    List<ChangeOutcome> outcomes = apply(batch, again);
    if (world.diesHere() || world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("after the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_LOSES_REPLY)) {
      throw new StoreException(Kind.TRANSIENT, "committed, reply lost", null);
    }
    return outcomes;
  }

  /// Some schedules are being changed by another broker, and count as changed.
  private WriteBatch withLocks(WriteBatch batch) {
    if (!plan.shared() || !plan.has(Fault.SLOT_LOCKED)) {
      return batch;
    }
    return new WriteBatch(
        batch.number(),
        batch.changes().stream()
            .map(change ->
                change instanceof Change.Fire fire && world.happens(Fault.SLOT_LOCKED)
                    ? new Change.Fire(
                        fire.row(), new ScheduleStep(-1, fire.step().next()), fire.owner())
                    : change)
            .toList());
  }

  /// Applies the transaction later, unless a new connection waits for it or rolls it back first
  /// (H6), or another process opens the store.
  private void commitLate(WriteBatch batch) {
    ghost = batch;
    world.after(
        world.between(
            0, world.random.nextBoolean() ? 20 * SimulatedWorld.MS : 2 * SimulatedWorld.SECOND),
        "late commit",
        () -> {
          if (ghost == null || ghost.number() != batch.number()) {
            return;
          }
          ghost = null;
          try {
            var _ = apply(batch, true);
            world.count("late commits");
          } catch (StoreException e) {
            if (e.kind() != Kind.FATAL) {
              throw e;
            }
          }
        });
  }

  private List<ChangeOutcome> apply(WriteBatch batch, boolean again) {
    List<ChangeOutcome> outcomes = super.commit(batch);
    world.count("transactions");
    applied = batch.number();
    world.trace(() ->
        process
            + " commits "
            + batch.number()
            + (again ? " (again)" : "")
            + ": "
            + batch.changes().stream().map(FaultyStore::brief).toList());
    for (int i = 0; i < outcomes.size(); i++) {
      process.broker.ledger.applied(process, batch.changes().get(i), outcomes.get(i));
    }
    return outcomes;
  }

  private boolean isOverLimit() {
    return plan.storeLimit() > 0 && size() > plan.storeLimit() * 2;
  }

  private static boolean needsSpace(Change change) {
    return newRow(change) != null || change instanceof Change.AdvanceWatermark;
  }

  private static @Nullable Row newRow(Change change) {
    return switch (change) {
      case Change.Insert insert -> insert.row();
      case Change.Fire fire -> fire.row();
      default -> null;
    };
  }

  static String brief(Change change) {
    return switch (change) {
      case Change.Insert(Row row, _) ->
          "insert %d %s %s%s%s"
              .formatted(
                  row.key(),
                  row.activation().id(),
                  row.status(),
                  row.parkedUntil() == Row.NONE ? "" : " parked",
                  row.forwardTo() == null ? "" : " forwarding");
      case Change.Fire fire -> "fire " + fire.key() + " " + fire.id();
      case Change.UpdateStatus update -> "update " + update.key() + " " + update.status();
      case Change.ChangeDelay delay -> "delay " + delay.key() + " to " + delay.delayUntil();
      case Change.ChangePriority priority ->
          "priority " + priority.key() + " to " + priority.priority();
      case Change.ConfirmOffset confirm -> "confirm " + confirm.key();
      case Change.Retry retry -> "retry " + retry.key();
      case Change.Forward forward ->
          "forward " + forward.key() + " to " + forward.destination().topic();
      case Change.Delete delete -> "delete " + delete.key();
      case Change.AdvanceWatermark c ->
          "consumed " + c.partition().topic() + "-" + c.partition().partition() + "<" + c.next();
      case Change.OffsetCommitted c ->
          "committed "
              + c.partition().topic()
              + "-"
              + c.partition().partition()
              + "<"
              + c.committed();
    };
  }

  @Override
  public ScheduleStore schedules() {
    return new FaultySchedules(super.schedules(), process, world);
  }

  private void mayFail() {
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "random failure", null);
    }
  }

  @Override
  public ParkedPage due(ParkedQuery query) {
    mayFail();
    return super.due(query);
  }

  @Override
  public void maintain(long now) {
    mayFail();
    super.maintain(now);
  }
}
