package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.store.ActivationStore.Outcome;
import io.taskbroker.store.WriteBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// What the engine of a [EngineOnSharedStore] has for the store: changes and queries in order, as a
/// committer has them, and what the engine is told of each when it is committed, or answered.
final class Outbound {
  private final String name;
  private final Consumer<Command> told;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>();
  private long batches;

  /// @param name of the broker, for messages
  Outbound(String name, Consumer<Command> told) {
    this.name = name;
    this.told = told;
  }

  void add(Change change) {
    waiting.add(change);
  }

  void ask(Supplier<Command> query) {
    waiting.add(query);
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  void clear() {
    waiting.clear();
  }

  /// Commits up to so many changes in one transaction, then answers the queries behind them.
  ///
  /// @param by the store
  void commit(int most, Function<WriteBatch, List<Outcome>> by) {
    List<Change> batch = new ArrayList<>();
    // The watermark behind rows is in their transaction (H1).
    while (waiting.peek() instanceof Change change
        && (batch.size() < most || batch.getLast() instanceof Change.Insert)) {
      waiting.remove();
      batch.add(change);
    }
    if (!batch.isEmpty()) {
      List<Outcome> outcomes = by.apply(new WriteBatch(++batches, batch));
      List<Change> committed = new ArrayList<>();
      List<Change> fenced = new ArrayList<>();
      for (int i = 0; i < batch.size(); i++) {
        switch (outcomes.get(i)) {
          case APPLIED -> committed.add(batch.get(i));
          case FENCED -> fenced.add(batch.get(i));
          case DUPLICATE, MISSING ->
              throw new AssertionError(
                  "H10: %s changes what is not there, or stores it twice: %s of %s"
                      .formatted(
                          name,
                          batch.get(i).getClass().getSimpleName(),
                          PartitionKey.of(batch.get(i))));
        }
      }
      if (!fenced.isEmpty()) {
        told.accept(new Command.Fenced(fenced));
      }
      told.accept(new Command.Committed(committed));
    }
    while (waiting.peek() instanceof Supplier<?> query) {
      waiting.remove();
      told.accept((Command) query.get());
    }
  }
}
