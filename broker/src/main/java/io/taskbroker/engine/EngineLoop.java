package io.taskbroker.engine;

import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.Engine;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.inflight.api.TokenEpoch;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The engine's thread. One round takes the pending commands, applies them and flushes all changes
/// at once: one transaction and one wake-up per round, however many commands (ARCHITECTURE.md).
/// While the thread sleeps and the load is low, senders run rounds in their own threads
/// ([EngineOwnership]).
///
/// [#start], [#stop] and [#load] are for one owner; [Progress] is thread-safe.
public final class EngineLoop implements Service, Progress {
  private static final int LOAD_PAGE = 1_000;
  private static final int ROUND = 4_096;
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long LONGEST_SLEEP_MS = 3_600_000;
  private static final Duration STOP_TIME = Duration.ofSeconds(4);

  /// Most rounds that senders run per window. Beyond that the engine's thread handles the
  /// accumulated commands in one round.
  private static final int CALLER_ROUNDS_PER_WINDOW = 64;

  private static final long CALLER_WINDOW_NANOS = 10_000_000;

  private final Mailbox mailbox;
  private final StoreBatch batch;
  private final Ticker ticker;
  private final InstantSource clock;
  private final Engine engine;
  private final LoopThread thread;

  private long processed;
  private volatile long done; // written by the owner of the engine
  private long wakeAt; // when the engine's thread wakes by its timer
  private long windowStartedAt;
  private int roundsInWindow;
  private @Nullable Throwable failure; // of a round in a sender's thread

  public EngineLoop(
      EngineOptions options,
      Mailbox mailbox,
      StagePorts ports,
      InstantSource clock,
      RandomGenerator random,
      FailureSink failures) {
    this(
        options,
        mailbox,
        ports,
        new SystemContext(Ticker.SYSTEM, clock, random),
        TokenEpoch.at(clock.millis(), UUID.randomUUID().getLeastSignificantBits()),
        failures);
  }

  /// @param epoch of the tokens of deliveries, which no other engine may have
  EngineLoop(
      EngineOptions options,
      Mailbox mailbox,
      StagePorts ports,
      SystemContext context,
      TokenEpoch epoch,
      FailureSink failures) {
    this.mailbox = mailbox;
    this.batch = new StoreBatch(ports.committer());
    this.ticker = context.ticker();
    this.clock = context.clock();
    this.engine = new Engine(options, ports.with(batch), context.random(), epoch);
    this.thread = new LoopThread("engine", new Turns(), failures);
  }

  @Override
  public String name() {
    return "engine";
  }

  /// Restores the engine from the store. Call once, before [#start].
  ///
  /// @param rules the rules in force until the first rule change
  /// @return the number of rows restored
  public long load(ActivationStore store, Rules rules) {
    return load(store, rules, Pauses.NONE);
  }

  /// The same with pauses that hold from the first delivery on.
  public long load(ActivationStore store, Rules rules, Pauses pauses) {
    advance();
    long rows = 0;
    long key = Row.NONE;
    List<Row> page = store.load(key, LOAD_PAGE);
    while (!page.isEmpty()) {
      page.forEach(engine::restore);
      rows += page.size();
      page = store.load(page.getLast().key(), LOAD_PAGE);
    }
    List<ParkedRow> parked = store.loadParked(key, LOAD_PAGE);
    while (!parked.isEmpty()) {
      parked.forEach(engine::restore);
      rows += parked.size();
      parked = store.loadParked(parked.getLast().key(), LOAD_PAGE);
    }
    for (ActivationStore.Tombstone tombstone : store.tombstones(clock.millis())) {
      engine.restoreTombstone(tombstone.id(), tombstone.until());
    }
    advance();
    engine.apply(new Command.RulesChanged(rules));
    engine.apply(new Command.Operate(new OperatorRequest.ChangePauses(pauses, () -> {})));
    engine.start(store.lastKey());
    return rows;
  }

  @Override
  public void start() {
    mailbox.setCallerRounds(new BoundedCallerRounds());
    thread.start();
    mailbox.open();
  }

  /// Stops the engine after pending requests are answered, within the stop timeout; refuses the
  /// rest.
  @Override
  public void stop() {
    mailbox.close("the broker is stopping");
    thread.stop(STOP_TIME);
    Command.Request request = mailbox.nextRequest();
    while (request != null) {
      request.unavailable("the broker is stopping");
      request = mailbox.nextRequest();
    }
  }

  @Override
  public boolean hasWork() {
    return !mailbox.isEmpty();
  }

  @Override
  public boolean isSelfContained() {
    return true;
  }

  @Override
  public long done() {
    return done;
  }

  /// Runs one round. Returns whether it processed a command.
  boolean round() {
    int count = 0;
    Command command = mailbox.nextCommand();
    while (command != null) {
      apply(command);
      command = ++count < ROUND ? mailbox.nextCommand() : null;
    }
    Command.Request request = engine.hasRoom() ? mailbox.nextRequest() : null;
    while (request != null) {
      apply(request);
      request = ++count < 2 * ROUND && engine.hasRoom() ? mailbox.nextRequest() : null;
    }
    advance();
    batch.flush();
    if (count > 0) {
      processed += count;
      done = processed;
    }
    return count > 0;
  }

  /// A command gets its own time: it may have arrived after the round began.
  private void apply(Command command) {
    engine.observe(now(), clock.millis());
    engine.apply(command);
  }

  private void advance() {
    engine.catchUp(now(), clock.millis());
    engine.dispatch(now(), clock.millis());
  }

  private long now() {
    return ticker.nanoTime() / NANOS_PER_MS;
  }

  /// Nanoseconds until the next timer of the engine is due.
  long untilNextRound() {
    long now = ticker.nanoTime();
    return nextRoundAt(now) - now;
  }

  /// The same as a time of the ticker.
  private long nextRoundAt(long now) {
    return now + nanosUntil(engine.nextWake(), now);
  }

  /// Sleep time in nanoseconds, clamped: an expiry may be more years away than nanoseconds can
  /// count.
  ///
  /// @param wake monotonic milliseconds
  /// @param now monotonic nanoseconds
  static long nanosUntil(long wake, long now) {
    long soon = Math.min(wake, now / NANOS_PER_MS + LONGEST_SLEEP_MS);
    return soon * NANOS_PER_MS - now + NANOS_PER_MS;
  }

  private final class Turns implements LoopThread.Loop {
    @Override
    public void turn() throws Exception {
      rethrow(failure);
      if (!round()) {
        long now = ticker.nanoTime();
        wakeAt = nextRoundAt(now);
        if (wakeAt - now > 0) {
          mailbox.sleep(wakeAt - now, engine.hasRoom());
        }
      }
    }

    /// Wakes with a command. A bare permit could be consumed by any lock that the turn waits for.
    @Override
    public void wake(Thread engine) {
      mailbox.submit(new Command.Drain());
    }

    @Override
    public void end() throws Exception {
      rethrow(failure);
      engine.apply(new Command.Drain());
      long end = System.nanoTime() + STOP_TIME.toNanos();
      while ((round() || engine.outstanding() > 0) && System.nanoTime() < end) {
        mailbox.sleep(TimeUnit.MILLISECONDS.toNanos(10), true);
        rethrow(failure);
      }
    }
  }

  /// Fails the engine's thread, which reports the cause (G9).
  private static void rethrow(@Nullable Throwable failure) throws Exception {
    switch (failure) {
      case null -> {}
      case Error e -> throw e;
      case Exception e -> throw e;
      default -> throw new IllegalStateException(failure);
    }
  }

  /// Rounds run by senders, usually with one command each, at most [#CALLER_ROUNDS_PER_WINDOW] in a
  /// window.
  private final class BoundedCallerRounds implements CallerRounds {
    @Override
    public boolean round() {
      if (failure != null || !mayTakeRound(ticker.nanoTime())) {
        return false;
      }
      try {
        EngineLoop.this.round();
        return nextRoundAt(ticker.nanoTime()) - wakeAt >= 0;
      } catch (Throwable e) {
        failure = e;
        return false;
      }
    }

    /// Due timers are left to the engine's thread: there may be many.
    private boolean mayTakeRound(long now) {
      if (now - windowStartedAt >= CALLER_WINDOW_NANOS) {
        windowStartedAt = now;
        roundsInWindow = 0;
      }
      return wakeAt - now > 0 && roundsInWindow++ < CALLER_ROUNDS_PER_WINDOW;
    }

    @Override
    public boolean hasRoom() {
      return engine.hasRoom();
    }
  }
}
