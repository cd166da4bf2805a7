package io.taskbroker.simulation;

import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.WriteBatch;
import java.util.List;

/// Store that commits a transaction once, however often it is retried (H6).
final class OnceCommitted extends ForwardingStore {
  private long last = -1;
  private List<ChangeOutcome> outcomes = List.of();

  OnceCommitted(ActivationStore store) {
    super(store);
  }

  @Override
  public List<ChangeOutcome> commit(WriteBatch batch) {
    if (batch.number() != last) {
      outcomes = super.commit(batch);
      last = batch.number();
    }
    return outcomes;
  }
}
