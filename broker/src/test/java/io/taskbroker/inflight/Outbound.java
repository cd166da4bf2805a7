package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.store.WriteBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// Queue of the changes and queries of an [EngineOnSharedStore] for the store, in order, as a
/// committer has them, with the commands that answer them.
final class Outbound {
  private final String name;
  private final Consumer<Command> answers;
  private final ArrayDeque<Object> waiting = new ArrayDeque<>();
  private long batches;

  /// @param name of the broker, for messages
  Outbound(String name, Consumer<Command> answers) {
    this.name = name;
    this.answers = answers;
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

  /// Commits up to `most` changes in one transaction, then answers the queries behind them.
  ///
  /// @param by the store
  void commit(int most, Function<WriteBatch, List<ChangeOutcome>> by) {
    List<Change> batch = new ArrayList<>();
    // The watermark behind rows is in their transaction (H1).
    while (waiting.peek() instanceof Change change
        && (batch.size() < most || batch.getLast() instanceof Change.Insert)) {
      waiting.remove();
      batch.add(change);
    }
    if (!batch.isEmpty()) {
      List<ChangeOutcome> outcomes = by.apply(new WriteBatch(++batches, batch));
      List<Change> committed = new ArrayList<>();
      List<ChangeOutcome> known = new ArrayList<>();
      List<Change> fenced = new ArrayList<>();
      for (int i = 0; i < batch.size(); i++) {
        switch (outcomes.get(i)) {
          case APPLIED, SUPERSEDED -> {
            committed.add(batch.get(i));
            known.add(outcomes.get(i));
          }
          case FENCED -> fenced.add(batch.get(i));
          case DUPLICATE, MISSING ->
              throw new AssertionError(
                  "H10: %s changes a missing row, or stores one twice: %s of %s"
                      .formatted(
                          name,
                          batch.get(i).getClass().getSimpleName(),
                          PartitionKey.of(batch.get(i))));
        }
      }
      if (!fenced.isEmpty()) {
        answers.accept(new Command.Fenced(fenced));
      }
      answers.accept(new Command.Committed(committed, known));
    }
    while (waiting.peek() instanceof Supplier<?> query) {
      waiting.remove();
      answers.accept((Command) query.get());
    }
  }
}
