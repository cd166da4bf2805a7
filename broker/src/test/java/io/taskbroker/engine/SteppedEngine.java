package io.taskbroker.engine;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.EngineOptions;
import io.taskbroker.inflight.Rules;
import io.taskbroker.inflight.TokenEpoch;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.telemetry.Metrics;
import java.util.Map;
import java.util.function.Consumer;

/// The real engine loop without its thread, driven by a simulation.
public final class SteppedEngine {
  private static final Metrics METRICS = new Metrics(); // never read

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
            TokenEpoch.at(context.clock().millis(), 0),
            (stage, cause) -> {
              throw new IllegalStateException(stage, cause);
            });
  }

  /// Commit listener that runs on the time of a simulation.
  ///
  /// @param startOffsets as of [CommitListener]
  public static CommitListener feed(
      ActivationStore store,
      CommandSink intake,
      String deadLetterTopic,
      Consumer<Map<SourcePartition, Long>> startOffsets,
      SystemContext context) {
    return new CommitListener(
        store, intake, deadLetterTopic, METRICS, startOffsets, context.ticker());
  }

  /// Loads the store, applies the rules, and accepts requests from now on.
  public void start(ActivationStore store, Rules rules) {
    var _ = loop.load(store, rules);
    mailbox.open();
  }

  public Progress progress() {
    return loop;
  }

  /// Whether a command waits to be processed.
  public boolean isTold() {
    return !mailbox.isEmpty();
  }

  /// Runs a round.
  ///
  /// @return nanoseconds until the next round is due
  public long round() {
    boolean processed = loop.round();
    // Commands without room wait until another command arrives.
    return processed && !mailbox.isEmpty() ? 0 : Math.max(0, loop.untilNextRound());
  }
}
