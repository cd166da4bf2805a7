package io.taskbroker.engine;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.Reported;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.Departure;
import io.taskbroker.inflight.Effects;
import io.taskbroker.inflight.Inflight;
import io.taskbroker.inflight.InflightOptions;
import io.taskbroker.inflight.Notice;
import io.taskbroker.inflight.Rules;
import io.taskbroker.inflight.Tally;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Service;
import io.taskbroker.runtime.Surroundings;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.StoreQuery;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The engine's thread. A round takes what arrived, lets the engine follow it, and hands on all
/// that came of it at once: one transaction and one wake-up per round, however much there is to do
/// (design section 4).
///
/// [#start], [#stop] and [#load] are for one owner; [Progress] is for anybody.
public final class EngineLoop implements Service, Progress {
  private static final int LOAD_PAGE = 1_000;
  private static final int ROUND = 4_096;
  private static final long NANOS_PER_MS = 1_000_000;
  private static final long LONGEST_SLEEP_MS = 3_600_000;
  private static final Duration STOP_TIME = Duration.ofSeconds(4);

  private final Mailbox mailbox;
  private final Outlets outlets;
  private final Ticker ticker;
  private final InstantSource clock;
  private final Inflight inflight;
  private final LoopThread thread;

  private List<Change> changes = new ArrayList<>();
  private List<StoreQuery> queries = new ArrayList<>();

  private long followed;
  private volatile long done;

  public EngineLoop(
      InflightOptions options,
      Mailbox mailbox,
      Outlets outlets,
      InstantSource clock,
      RandomGenerator random,
      FailureSink failures) {
    this(options, mailbox, outlets, new Surroundings(Ticker.SYSTEM, clock, random), failures);
  }

  EngineLoop(
      InflightOptions options,
      Mailbox mailbox,
      Outlets outlets,
      Surroundings surroundings,
      FailureSink failures) {
    this.mailbox = mailbox;
    this.outlets = outlets;
    this.ticker = surroundings.ticker();
    this.clock = surroundings.clock();
    this.inflight = new Inflight(options, new Outflow(), surroundings.random());
    this.thread = new LoopThread("engine", new Turns(), failures);
  }

  @Override
  public String name() {
    return "engine";
  }

  /// Takes in what the store has. Call it once, before [#start].
  ///
  /// @param rules what the rules are, until the engine is told of others
  /// @return how many rows there were
  public long load(ActivationStore store, Rules rules) {
    advance();
    long rows = 0;
    long key = Row.NONE;
    List<Row> page = store.load(key, LOAD_PAGE);
    while (!page.isEmpty()) {
      page.forEach(inflight::restore);
      rows += page.size();
      page = store.load(page.getLast().key(), LOAD_PAGE);
    }
    List<ParkedRow> parked = store.loadParked(key, LOAD_PAGE);
    while (!parked.isEmpty()) {
      parked.forEach(inflight::restore);
      rows += parked.size();
      parked = store.loadParked(parked.getLast().key(), LOAD_PAGE);
    }
    for (ActivationStore.Tombstone tombstone : store.tombstones(clock.millis())) {
      inflight.restoreTombstone(tombstone.id(), tombstone.until());
    }
    advance();
    inflight.apply(new Command.RulesChanged(rules));
    inflight.start(store.lastKey());
    return rows;
  }

  @Override
  public void start() {
    thread.start();
    mailbox.open();
  }

  /// Answers what was asked, as far as the store answers in time, and stops.
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
  public long done() {
    return done;
  }

  /// One round. Returns whether it was told something.
  boolean round() {
    inflight.observe(now(), clock.millis());
    int count = 0;
    Command command = mailbox.nextTold();
    while (command != null) {
      inflight.apply(command);
      command = ++count < ROUND ? mailbox.nextTold() : null;
    }
    Command.Request request = inflight.hasRoom() ? mailbox.nextRequest() : null;
    while (request != null) {
      inflight.apply(request);
      request = ++count < 2 * ROUND && inflight.hasRoom() ? mailbox.nextRequest() : null;
    }
    advance();
    handOver();
    if (count > 0) {
      followed += count;
      done = followed;
    }
    return count > 0;
  }

  private void advance() {
    inflight.advance(now(), clock.millis());
  }

  private long now() {
    return ticker.nanoTime() / NANOS_PER_MS;
  }

  private void handOver() {
    if (!changes.isEmpty() || !queries.isEmpty()) {
      List<Change> made = changes;
      List<StoreQuery> asked = queries;
      changes = new ArrayList<>(made.size() + 16);
      queries = new ArrayList<>();
      outlets.commit(made, asked);
    }
  }

  /// When the next round has something to do without being told anything, in nanoseconds from now.
  long untilNextRound() {
    return nanosUntil(inflight.nextWake(), ticker.nanoTime());
  }

  /// How long to sleep. There are activations that expire in more years than nanoseconds can count.
  ///
  /// @param wake monotonic milliseconds
  /// @param now monotonic nanoseconds
  static long nanosUntil(long wake, long now) {
    long soon = Math.min(wake, now / NANOS_PER_MS + LONGEST_SLEEP_MS);
    return soon * NANOS_PER_MS - now + NANOS_PER_MS;
  }

  private final class Turns implements LoopThread.Loop {
    @Override
    public void turn() {
      if (!round()) {
        long wait = untilNextRound();
        if (wait > 0) {
          mailbox.sleep(wait, inflight.hasRoom());
        }
      }
    }

    @Override
    public void wake(Thread engine) {
      LockSupport.unpark(engine);
    }

    @Override
    public void end() {
      inflight.apply(new Command.Drain());
      long end = System.nanoTime() + STOP_TIME.toNanos();
      while ((round() || inflight.outstanding() > 0) && System.nanoTime() < end) {
        mailbox.sleep(TimeUnit.MILLISECONDS.toNanos(10), true);
      }
    }
  }

  /// Gathers changes and queries until the round ends; everything else goes out at once.
  private final class Outflow implements Effects {
    @Override
    public void write(Change change) {
      changes.add(change);
    }

    @Override
    public void readParked(String application, long afterDue, long afterKey, long upTo, int limit) {
      queries.add(new ParkedQuery(application, afterDue, afterKey, upTo, limit));
    }

    @Override
    public void passOn(List<Reported> reports, Object owner) {
      queries.add(new StoreQuery.PassOn(reports, owner));
    }

    @Override
    public void readReports(List<Long> keys, Object owner) {
      queries.add(new StoreQuery.Recorded(keys, owner));
    }

    @Override
    public void barrier(Object owner) {
      queries.add(new StoreQuery.Barrier(owner));
    }

    @Override
    public void push(Delivery delivery) {
      outlets.push(delivery);
    }

    @Override
    public void produce(Departure departure) {
      outlets.produce(departure);
    }

    @Override
    public void consumed(
        SourcePartition partition, long nextOffset, int records, long bytes, boolean urgent) {
      outlets.consumed(partition, nextOffset, records, bytes, urgent);
    }

    @Override
    public void drained(SourcePartition partition) {
      outlets.drained(partition);
    }

    @Override
    public void lost(SourcePartition partition) {
      outlets.lost(partition);
    }

    @Override
    public void reply(Command.ReportReply reply, @Nullable Delivery next) {
      reply.done(next);
    }

    @Override
    public void reply(Command.ClaimReply reply, @Nullable Delivery delivery) {
      reply.done(delivery);
    }

    @Override
    public void reply(Command.EnqueueReply reply) {
      reply.done();
    }

    @Override
    public void count(Tally tally, Activation activation, long age) {
      outlets.count(tally, activation, age);
    }

    @Override
    public void notice(Notice notice, String id, String detail) {
      outlets.notice(notice, id, detail);
    }
  }
}
