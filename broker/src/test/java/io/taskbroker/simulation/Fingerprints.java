package io.taskbroker.simulation;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/// Program that prints the fingerprint of the first seeds, for comparison between processes.
final class Fingerprints {
  static final int SEEDS = 150;

  private Fingerprints() {}

  public static void main(String[] args) {
    ((Logger) LoggerFactory.getLogger("io.taskbroker")).setLevel(Level.OFF);
    System.out.println(ofSeeds());
  }

  /// Combined fingerprint of the first seeds.
  static long ofSeeds() {
    long all = 0;
    for (long seed = 1; seed <= SEEDS; seed++) {
      var simulation = new Simulation(seed, false, Tampering.NONE);
      simulation.run();
      all = all * 31 + simulation.world.fingerprint();
    }
    return all;
  }
}
