package io.taskbroker.simulation;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.store.WriteBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A store that fails before and after it commits, loses its answers, fills up, cannot hold some
/// rows, and in whose commits the process dies.
final class FaultyStore extends ForwardingStore {
  private final BrokerRun run;
  private final SimulatedWorld world;
  private final SeedPlan plan;
  private long applied = -1;
  private long tried = -1;
  private @Nullable WriteBatch ghost;

  FaultyStore(ActivationStore store, BrokerRun run, SimulatedWorld world, SeedPlan plan) {
    super(store);
    this.run = run;
    this.world = world;
    this.plan = plan;
  }

  @Override
  public List<Outcome> commit(WriteBatch batch) {
    if (batch.number() == applied) {
      return super.commit(batch);
    }
    ghost = null;
    boolean again = batch.number() == tried;
    tried = batch.number();
    if (world.diesHere() || world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("before the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "failed, says chance", null);
    }
    boolean needsSpace = batch.changes().stream().anyMatch(FaultyStore::needsSpace);
    if (needsSpace && (isOverLimit() || world.happens(Fault.STORE_IS_FULL))) {
      throw new StoreException(Kind.FULL, "full, says chance", null);
    }
    for (Change change : batch.changes()) {
      if (change instanceof Change.Insert(Row row, _) && run.broker.cannotHold(row)) {
        run.broker.ledger.rejected(run, row);
        throw new StoreException(Kind.DATA, "cannot hold it", null);
      }
    }
    if (world.diesHere()) {
      haunt(batch);
      throw new Crash("in the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_GHOST)) {
      haunt(batch);
      throw new StoreException(Kind.TRANSIENT, "nobody knows what became of it", null);
    }
    List<Outcome> outcomes = land(batch, again);
    if (world.diesHere() || world.happens(Fault.CRASH_AT_COMMIT)) {
      throw new Crash("after the commit of " + batch.number());
    }
    if (world.happens(Fault.STORE_LOSES_REPLY)) {
      throw new StoreException(Kind.TRANSIENT, "committed, and nobody was told", null);
    }
    return outcomes;
  }

  /// The transaction lands later, unless a connection comes before that has to wait for it, or has
  /// it undone (H6), or another process has opened the store.
  private void haunt(WriteBatch batch) {
    ghost = batch;
    world.after(
        world.between(
            0, world.random.nextBoolean() ? 20 * SimulatedWorld.MS : 2 * SimulatedWorld.SECOND),
        "a transaction lands late",
        () -> {
          if (ghost == null || ghost.number() != batch.number()) {
            return;
          }
          ghost = null;
          try {
            var _ = land(batch, true);
            world.count("transactions that landed late");
          } catch (StoreException e) {
            if (e.kind() != Kind.FATAL) {
              throw e;
            }
          }
        });
  }

  private List<Outcome> land(WriteBatch batch, boolean again) {
    List<Outcome> outcomes = super.commit(batch);
    world.count("transactions");
    applied = batch.number();
    world.trace(() ->
        run
            + " commits "
            + batch.number()
            + (again ? " (again)" : "")
            + ": "
            + batch.changes().stream().map(FaultyStore::brief).toList());
    for (int i = 0; i < outcomes.size(); i++) {
      run.broker.ledger.applied(run, batch.changes().get(i), outcomes.get(i));
    }
    return outcomes;
  }

  private boolean isOverLimit() {
    return plan.storeLimit() > 0 && size() > plan.storeLimit() * 2;
  }

  private static boolean needsSpace(Change change) {
    return change instanceof Change.Insert || change instanceof Change.AdvanceWatermark;
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
                  row.forwardTo() == null ? "" : " leaving");
      case Change.UpdateStatus mark -> "mark " + mark.key() + " " + mark.status();
      case Change.ConfirmOffset prove -> "prove " + prove.key();
      case Change.Forward leave -> "leave " + leave.key() + " to " + leave.destination().topic();
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

  private void mayFail() {
    if (world.happens(Fault.STORE_FAILS)) {
      throw new StoreException(Kind.TRANSIENT, "failed, says chance", null);
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
