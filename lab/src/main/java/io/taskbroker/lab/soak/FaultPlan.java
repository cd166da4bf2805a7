package io.taskbroker.lab.soak;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Which fault happens when, decided by the seed and the length of the soak. Immutable.
///
/// In its first part the broker is restarted in all ways, too; in the second one process lives
/// through all other faults, so that it can be seen whether it grows.
///
/// @param faults in the order of their times
/// @param lastProcess when the second part begins
record FaultPlan(List<Planned> faults, Duration lastProcess) {
  /// A fault that is to happen.
  ///
  /// @param at since the beginning of the load; it may happen later, after the one before
  /// @param lasting how long the broker is dead, frozen or without what it needs
  /// @param draw decides what else there is to decide about it
  record Planned(FaultKind kind, Duration at, Duration lasting, int draw) {
    @Override
    public String toString() {
      return "%6.1f s  %-14s for %.1f s"
          .formatted(at.toMillis() / 1e3, kind, lasting.toMillis() / 1e3);
    }
  }

  /// Of the load, with restarts; or as long as each of them once takes.
  private static final double FIRST_PART = 0.45;

  private static final double MAX_FIRST_PART = 0.7;
  private static final long MIN_FIRST_PART = 42_000;

  private static final Duration BEGIN = Duration.ofSeconds(3);
  private static final Duration MIN_UNIT = Duration.ofMillis(600);
  private static final Duration MAX_UNIT = Duration.ofSeconds(6);
  private static final int UNITS = 100;

  FaultPlan {
    faults = List.copyOf(faults);
  }

  static FaultPlan of(Duration load, long seed) {
    var random = new Random(seed);
    long unit = Math.clamp(load.toMillis() / UNITS, MIN_UNIT.toMillis(), MAX_UNIT.toMillis());
    long middle =
        Math.max(part(load, FIRST_PART), Math.min(part(load, MAX_FIRST_PART), MIN_FIRST_PART));
    var faults = new ArrayList<Planned>();
    long at = BEGIN.toMillis();
    var deck = new Deck(random);
    at = deal(faults, deck.restartsFirst(), at, middle, unit, random);
    while (at < middle) {
      at = deal(faults, deck.all(), at, middle, unit, random);
    }
    // The new process is left alone while it is measured for the first time.
    at = middle + 3 * unit + unit;
    while (at < load.toMillis()) {
      at = deal(faults, deck.withoutRestarts(), at, load.toMillis() - unit, unit, random);
    }
    return new FaultPlan(faults, Duration.ofMillis(middle));
  }

  private static long part(Duration load, double share) {
    return (long) ((double) load.toMillis() * share);
  }

  private static long deal(
      List<Planned> faults, List<FaultKind> kinds, long from, long end, long unit, Random random) {
    long at = from;
    for (FaultKind kind : kinds) {
      long lasting = (long) (unit * (0.3 + 1.2 * random.nextDouble()));
      long gap = (long) (unit * (0.5 + 1.5 * random.nextDouble()));
      int draw = random.nextInt(1 << 16);
      if (at + lasting + kind.cost > end) {
        return Long.MAX_VALUE / 2;
      }
      faults.add(new Planned(kind, Duration.ofMillis(at), Duration.ofMillis(lasting), draw));
      at += lasting + kind.cost + gap;
    }
    return at;
  }

  /// All kinds in some order, again and again.
  private record Deck(Random random) {
    List<FaultKind> all() {
      var kinds = new ArrayList<>(List.of(FaultKind.values()));
      Collections.shuffle(kinds, random);
      return kinds;
    }

    List<FaultKind> restartsFirst() {
      var kinds = all();
      kinds.sort((one, other) -> Boolean.compare(other.restarts, one.restarts));
      return kinds;
    }

    List<FaultKind> withoutRestarts() {
      var kinds = all();
      kinds.removeIf(kind -> kind.restarts);
      return kinds;
    }
  }
}
