package io.taskbroker.engine;

import io.taskbroker.activation.Change;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Intake;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreCommitter;
import java.util.List;

/// Tells the engine what the committer did, and now and then how large the store is. Confined to
/// the committer's thread.
public final class StoreFeed implements StoreCommitter.Listener {
  private static final long SIZE_NANOS = 500_000_000;

  private final ActivationStore store;
  private final Intake intake;
  private long sizedAt = System.nanoTime() - SIZE_NANOS;

  public StoreFeed(ActivationStore store, Intake intake) {
    this.store = store;
    this.intake = intake;
  }

  @Override
  public void committed(List<Change> changes) {
    intake.tell(new Command.Committed(changes));
    long now = System.nanoTime();
    if (now - sizedAt >= SIZE_NANOS) {
      sizedAt = now;
      intake.tell(new Command.StoreSized(store.size()));
    }
  }

  @Override
  public void rejected(Change change, String why) {
    intake.tell(new Command.Rejected(change, why));
  }

  @Override
  public void read(ParkedQuery query, ParkedPage page) {
    intake.tell(
        new Command.ParkedRead(query.application(), page.rows(), page.nextDue(), query.upTo()));
  }
}
