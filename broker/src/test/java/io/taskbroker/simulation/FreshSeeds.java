package io.taskbroker.simulation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.concurrent.TimeUnit;

/// Seeds that nobody has run before.
///
/// Those of a build follow from the commit that it builds, so that a build can be repeated, and
/// each commit looks at others. Without git they follow from the date. Ranges of different commits
/// are disjoint, but for a chance of one in four thousand millions, and lie above all others.
///
/// @param from the first
/// @param source what they follow from
record FreshSeeds(long from, String source) {
  /// Worlds of these and larger seeds are wide ([SeedPlan#of]).
  static final long LEAST = 1_000_000_000_000L;

  /// So many seeds belong to each source.
  private static final long SPAN = 100_000;

  /// Those of this build.
  static FreshSeeds ofBuild() {
    String commit = commit();
    if (commit.matches("[0-9a-f]{40,}")) {
      return new FreshSeeds(first(Long.parseLong(commit, 0, 8, 16)), "commit " + commit);
    }
    long day = TimeUnit.MILLISECONDS.toDays(System.currentTimeMillis());
    return new FreshSeeds(first(day), "day " + day + ", as git knows no commit here");
  }

  /// The first seed of a run that begins now.
  static long ofNow() {
    return first(TimeUnit.MILLISECONDS.toSeconds(System.currentTimeMillis()));
  }

  private static long first(long number) {
    return LEAST + number * SPAN;
  }

  /// The commit that is checked out; empty if there is none, or no git.
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
