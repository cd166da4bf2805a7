package io.taskbroker.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/// The simulator finds the bugs that it is there for: each of these is planted in a broker that has
/// no other, and must be found within so many seeds. The same history without it breaks nothing:
/// with its rule a failure history holds, without it does not.
final class PlantedBugsTest {
  private static final int SEEDS = 600;

  @BeforeAll
  static void hush() {
    logger().setLevel(Level.OFF);
  }

  @AfterAll
  static void speak() {
    logger().setLevel(null);
  }

  private static Logger logger() {
    return (Logger) LoggerFactory.getLogger("io.taskbroker");
  }

  @ParameterizedTest
  @EnumSource
  @Timeout(value = 120, unit = TimeUnit.SECONDS)
  void isFound(PlantedBug bug) {
    int seeds = 0;
    String finding = "";
    while (finding.isEmpty() && seeds < SEEDS) {
      seeds++;
      finding = find(bug, seeds);
    }
    System.out.printf("%-26s %-4s %4d seeds  %s%n", bug, bug.rule, seeds, finding);
    assertThat(finding).as("what %d seeds find", seeds).isNotEmpty();
    new Simulation(seeds, false, Tampering.NONE).run(); // it is the bug, not the history
  }

  private static String find(PlantedBug bug, long seed) {
    try {
      new Simulation(seed, false, bug).run();
      return "";
    } catch (Violation e) {
      return String.valueOf(e.getMessage()).lines().findFirst().orElse("?");
    } catch (RuntimeException | AssertionError e) {
      return "the broker itself: " + String.valueOf(e.getMessage()).lines().findFirst().orElse("?");
    }
  }
}
