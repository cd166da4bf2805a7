package io.taskbroker.lab.soak;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/// Schedule of faults, determined by the seed and the length of the soak. Immutable.
///
/// The first part includes all kinds of restarts; in the second part one process survives all other
/// faults, so that its growth can be measured.
///
/// @param faults in order of time
/// @param lastProcess start of the second part
record FaultPlan(List<Planned> faults, Duration lastProcess) {
  /// A scheduled fault.
  ///
  /// @param at time since the start of the load; delayed if the previous fault is not over
  /// @param lasting how long the broker is dead, frozen or without its dependency
  /// @param draw random number for further choices
  record Planned(FaultKind kind, Duration at, Duration lasting, int draw) {
    @Override
    public String toString() {
      return "%6.1f s  %-14s for %.1f s"
          .formatted(at.toMillis() / 1e3, kind, lasting.toMillis() / 1e3);
    }
  }

  /// Share of the load with restarts; longer if each kind needs more time.
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
    // The new process is left alone during its first measurement.
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

  /// Endless sequence of all kinds, shuffled in each pass.
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
