package io.taskbroker;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.jetbrains.lincheck.Lincheck;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/// Small multi-threaded scenarios under a model checker (Lincheck). It repeats a scenario with
/// different thread switches, and prints the interleaving in which an assertion fails or all
/// threads wait for ever: a lost wake-up.
///
/// Writes are visible to other threads immediately, and timed waits may end at any moment,
/// including those of [java.util.concurrent.locks.LockSupport]: test fences and time with [Race].
/// The model checker does not look into method references, subclasses of [Thread] and classes that
/// use `Unsafe`. `-Dlincheck.invocations=N` sets the number of interleavings.
public final class Interleavings {
  private static final int COUNT = Integer.getInteger("lincheck.invocations", 100);

  @SuppressWarnings("UnusedVariable") // read by the model checker
  private static volatile @Nullable Object shared;

  private Interleavings() {}

  /// Runs the scenario in the configured number of interleavings.
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

  /// Marks an object as shared between the threads of a scenario: the model checker does not see
  /// that a lambda captures it, and would not switch threads where it is used.
  public static <T> T shared(T value) {
    shared = value;
    return value;
  }

  /// Starts a thread of a scenario.
  public static Actor start(Step body) {
    return new Actor(body);
  }

  /// Waits for the threads.
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

  /// Assertion for threads of the model checker, where AssertJ does not work.
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

  /// A thread of a scenario.
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
