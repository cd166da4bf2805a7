package io.taskbroker;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.jetbrains.lincheck.Lincheck;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/// Runner of small multi-threaded scenarios under a model checker (Lincheck). It repeats a scenario
/// with thread switches at different points, and prints the interleaving in which an assertion
/// fails or all threads wait forever: a lost wake-up.
///
/// Writes of a thread are visible to the others at once, and timed waits may end at any moment,
/// including those of [java.util.concurrent.locks.LockSupport]: memory fences and time are tested
/// with [Race]. The model checker does not instrument method references, subclasses of [Thread], or
/// classes that use `Unsafe`. `-Dlincheck.invocations=N` sets the length of the search.
public final class Interleavings {
  private static final int COUNT = Integer.getInteger("lincheck.invocations", 100);

  @SuppressWarnings("UnusedVariable") // written so that the model checker sees it
  private static volatile @Nullable Object shared;

  private Interleavings() {}

  /// Runs the scenario in the default number of interleavings.
  public static void of(Step scenario) {
    var log = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    Level level = log.getLevel();
    log.setLevel(Level.OFF); // otherwise most interleavings are in the log
    try {
      Lincheck.runConcurrentTest(COUNT, () -> orThrow(scenario));
    } finally {
      log.setLevel(level);
    }
  }

  /// Publishes the state that the threads of a scenario share: the model checker does not see that
  /// a lambda captures it, and would not switch threads at its uses.
  public static <T> T shared(T value) {
    shared = value;
    return value;
  }

  /// Starts a thread of a scenario.
  public static Actor start(Step body) {
    return new Actor(body);
  }

  /// Joins the threads.
  ///
  /// @throws AssertionError if one of them failed
  public static void join(Actor... actors) {
    for (Actor actor : actors) {
      orThrow(() -> actor.thread.join());
      Throwable failure = actor.failure;
      if (failure != null) {
        throw new AssertionError(failure);
      }
    }
  }

  /// Assertion for threads of the model checker, where AssertJ cannot be used.
  public static void check(boolean holds, Object seen) {
    if (!holds) {
      throw new AssertionError("Actual: " + seen);
    }
  }

  private static void orThrow(Step step) {
    try {
      step.run();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /// Thread of a scenario.
  public static final class Actor {
    private final Thread thread;
    private @Nullable Throwable failure;

    private Actor(Step body) {
      thread =
          new Thread(() -> {
            try {
              body.run();
            } catch (Throwable e) {
              failure = e;
            }
          });
      thread.start();
    }
  }

  /// Body of a thread; an exception is a failure.
  @FunctionalInterface
  public interface Step {
    void run() throws Exception;
  }
}
