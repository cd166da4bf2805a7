package io.taskbroker.simulation;

import io.taskbroker.runtime.Ticker;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// Time, randomness and the order of events. One seed determines everything; there are no threads.
final class SimulatedWorld {
  static final long MS = 1_000_000;
  static final long SECOND = 1_000 * MS;

  /// Wall clock at the start, milliseconds since the epoch.
  static final long EPOCH = 1_700_000_000_000L;

  private static final int MAX_EVENTS = 2_000_000;

  final long seed;
  final SplittableRandom random;
  final SeedPlan plan;
  final List<String> trace = new ArrayList<>();
  private final Map<String, int[]> counts = new HashMap<>();
  private final boolean traces;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private long now;
  private long numbers;
  private long hash;
  private boolean quiet;
  private long quietFrom;
  private final Map<Fault, Integer> rarities = new EnumMap<>(Fault.class);
  private final Set<Long> crashPoints = new HashSet<>();
  private long points;

  private record Event(long time, long number, String what, Runnable body)
      implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      int byTime = Long.compare(time, other.time);
      return byTime == 0 ? Long.compare(number, other.number) : byTime;
    }
  }

  /// A world determined entirely by its seed.
  SimulatedWorld(long seed, boolean traces) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.traces = traces;
    this.plan = SeedPlan.of(random, seed);
    plan.faults().forEach(this::set);
  }

  /// A world with a given plan; its seed determines the rest.
  SimulatedWorld(long seed, boolean traces, SeedPlan plan) {
    this.seed = seed;
    this.random = new SplittableRandom(seed);
    this.traces = traces;
    this.plan = plan;
    plan.faults().forEach(this::set);
  }

  /// Nanoseconds since the start.
  long now() {
    return now;
  }

  /// True time of day, from which the brokers' clocks may deviate.
  long wall() {
    return EPOCH + now / MS;
  }

  /// Ends all faults.
  void endFaults() {
    quiet = true;
    quietFrom = now;
  }

  boolean isQuiet() {
    return quiet;
  }

  /// Whether faults ended that long ago.
  boolean isQuietSince(long nanos) {
    return quiet && now - quietFrom >= nanos;
  }

  void after(long nanos, String what, Runnable body) {
    events.add(new Event(now + Math.max(0, nanos), numbers++, what, body));
  }

  /// Runs the next event; false if there is none before `until`.
  boolean step(long until) {
    Event next = events.peek();
    if (next == null || next.time > until) {
      return false;
    }
    var _ = events.poll();
    now = next.time;
    hash = hash * 31 + next.what.hashCode() + next.time;
    if (numbers > MAX_EVENTS) {
      throw new AssertionError("Endless events without progress of time");
    }
    next.body.run();
    return true;
  }

  /// Runs events until that time, or until the condition holds.
  void runUntil(long until, BooleanSupplier enough) {
    while (!enough.getAsBoolean()) {
      if (!step(until)) {
        now = Math.max(now, until);
        return;
      }
    }
  }

  /// Whether the fault happens at this opportunity.
  boolean happens(Fault fault) {
    return fault(rarities.getOrDefault(fault, 0));
  }

  /// Crashes the process at the given crash point of the history. Crash points are before, in and
  /// after each write to a store and to Kafka.
  void crashAt(long point) {
    crashPoints.add(point);
  }

  /// Passes a crash point; returns whether the process dies there.
  boolean diesHere() {
    points++;
    return crashPoints.contains(points);
  }

  /// Number of crash points passed.
  long points() {
    return points;
  }

  /// Sets the rarity of a fault from now on: once in this many opportunities; 0 for never.
  void set(Fault fault, int rarity) {
    rarities.put(fault, rarity);
  }

  /// True once in `n` times, as long as faults happen.
  boolean fault(int n) {
    return !quiet && n > 0 && random.nextInt(n) == 0;
  }

  /// A random duration in this range, in nanoseconds.
  long between(long least, long most) {
    return least + random.nextLong(most - least + 1);
  }

  /// Hash that identifies this history.
  long fingerprint() {
    return hash;
  }

  long eventCount() {
    return numbers;
  }

  /// Counts an event, to show that the simulation covers it.
  void count(String what) {
    counts.computeIfAbsent(what, _ -> new int[1])[0]++;
  }

  Map<String, Long> counts() {
    Map<String, Long> copy = new TreeMap<>();
    counts.forEach((what, count) -> copy.put(what, (long) count[0]));
    return copy;
  }

  void trace(Supplier<String> line) {
    if (traces) {
      trace.add("%d.%06d  %s".formatted(now / SECOND, now % SECOND / 1_000, line.get()));
    }
  }

  /// Monotonic clock of a process with an arbitrary origin.
  Ticker ticker(long offset) {
    return new Ticker() {
      @Override
      public long nanoTime() {
        return now + offset;
      }

      @Override
      public void await(ReentrantLock lock, Condition condition, long until) {
        throw new AssertionError("A simulation must not block");
      }
    };
  }
}
