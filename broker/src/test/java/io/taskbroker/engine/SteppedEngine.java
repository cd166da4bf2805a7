package io.taskbroker.engine;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.EngineOptions;
import io.taskbroker.inflight.Rules;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.telemetry.Metrics;
import java.util.Map;
import java.util.function.Consumer;

/// The real engine loop without its thread, turned by a simulation.
public final class SteppedEngine {
  private static final Metrics METRICS = new Metrics(); // read by nobody

  private final EngineLoop loop;
  private final Mailbox mailbox;

  public SteppedEngine(
      EngineOptions options, Mailbox mailbox, Outlets outlets, SystemContext context) {
    this.mailbox = mailbox;
    this.loop =
        new EngineLoop(
            options,
            mailbox,
            outlets,
            context,
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            });
  }

  /// What tells the engine of the committer's work, in the time of a simulation.
  ///
  /// @param lows as of [CommitListener]
  public static CommitListener feed(
      ActivationStore store,
      CommandSink intake,
      String deadLetterTopic,
      Consumer<Map<SourcePartition, Long>> startOffsets,
      SystemContext context) {
    return new CommitListener(store, intake, deadLetterTopic, METRICS, startOffsets, context.ticker());
  }

  /// Loads what is in the store, goes by the rules, and takes requests from now on.
  public void start(ActivationStore store, Rules rules) {
    var _ = loop.load(store, rules);
    mailbox.open();
  }

  public Progress progress() {
    return loop;
  }

  /// Whether it was told something that it has not followed yet.
  public boolean isTold() {
    return !mailbox.isEmpty();
  }

  /// Takes a round.
  ///
  /// @return when the next is due, in nanoseconds from now
  public long round() {
    boolean processed = loop.round();
    // What there is no room for waits until the engine is told something.
    return processed && !mailbox.isEmpty() ? 0 : Math.max(0, loop.untilNextRound());
  }
}
