package io.taskbroker.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/// Program that prints the fingerprint of the first seeds, for comparison between processes.
final class Fingerprints {
  static final int SEEDS = 150;
  private static final int WITH_SCHEDULES = 20;

  private Fingerprints() {}

  public static void main(String[] args) {
    ((Logger) LoggerFactory.getLogger("io.taskbroker")).setLevel(Level.OFF);
    System.out.println(ofSeeds());
  }

  /// Combined fingerprint of the first seeds.
  static long ofSeeds() {
    long all = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      all = all * 31 + of(seed);
    }
    for (long seed = 1; seed <= WITH_SCHEDULES; seed++) {
      all = all * 31 + of(FreshSeeds.SCHEDULED + seed);
    }
    return all;
  }

  private static long of(long seed) {
    var simulation = new Simulation(seed, false, Tampering.NONE);
    simulation.run();
    return simulation.world.fingerprint();
  }
}
