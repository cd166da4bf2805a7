package io.taskbroker.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Range of seeds that have not been run before.
///
/// The range of a build follows from its commit, so that a build is reproducible and each commit
/// tries other seeds. Without git it follows from the date. Ranges of different commits are
/// disjoint with a probability of all but one in four thousand million, and lie above all fixed
/// seeds.
///
/// @param from the first seed
/// @param source what the range follows from
record FreshSeeds(long from, String source) {
  /// Seeds from here on have wide worlds ([SeedPlan#of]).
  static final long LEAST = 1_000_000_000_000L;

  /// Seeds from here on have wide worlds in which clients enqueue directly, and workers open
  /// streams.
  static final long DIRECT = 1_000_000_000_000_000L;

  /// Seeds from here on have such worlds, and brokers keep schedules in them.
  static final long SCHEDULED = 10_000_000_000_000_000L;

  /// Number of seeds per source.
  private static final long SPAN = 100_000;

  /// The range of this build.
  static FreshSeeds ofBuild() {
    String commit = commit();
    if (commit.matches("[0-9a-f]{40,}")) {
      return new FreshSeeds(first(Long.parseLong(commit, 0, 8, 16)), "commit " + commit);
    }
    long day = TimeUnit.MILLISECONDS.toDays(System.currentTimeMillis());
    return new FreshSeeds(first(day), "day " + day + " (no git commit found)");
  }

  /// The first seed of a run that starts now.
  static long ofNow() {
    return first(TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()));
  }

  private static long first(long number) {
    return LEAST + number * SPAN;
  }

  /// The checked-out commit; empty without git or a commit.
  private static String commit() {
    try {
      Process git =
          new ProcessBuilder("git", "rev-parse", "--verify", "--quiet", "HEAD")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String commit = new String(git.getInputStream().readAllBytes(), UTF_8).strip();
      return git.waitFor() == 0 ? commit : "";
    } catch (IOException _) {
      return "";
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return "";
    }
  }
}
