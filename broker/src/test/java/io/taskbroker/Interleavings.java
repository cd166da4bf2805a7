package io.taskbroker;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.jetbrains.lincheck.Lincheck;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/// Small scenarios of several threads under a model checker (Lincheck). It runs a scenario again
/// and again, switching threads at other places each time; it prints the interleaving in which an
/// assertion fails, or in which all threads wait for ever: a lost wake-up.
///
/// What a thread writes is seen by the others at once, and waits that have a time may end at any
/// moment, those of [java.util.concurrent.locks.LockSupport] included: fences, and time, are for
/// [Race]. The model checker does not see into method references, subclasses of [Thread] and
/// classes that use `Unsafe`. `-Dlincheck.invocations=N` looks for longer, or less long.
public final class Interleavings {
  private static final int COUNT = Integer.getInteger("lincheck.invocations", 100);

  @SuppressWarnings("UnusedVariable") // written for the model checker to see
  private static volatile @Nullable Object shared;

  private Interleavings() {}

  /// Runs the scenario in as many interleavings as is usual.
  public static void of(Step scenario) {
    var log = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    Level level = log.getLevel();
    log.setLevel(Level.OFF); // or most interleavings are those of the log
    try {
      Lincheck.runConcurrentTest(COUNT, () -> orThrow(scenario));
    } finally {
      log.setLevel(level);
    }
  }

  /// Marks what the threads of a scenario share: the model checker does not see that a lambda takes
  /// it along, and would not switch threads where it is used.
  public static <T> T shared(T value) {
    shared = value;
    return value;
  }

  /// Begins a thread of a scenario.
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

  /// An assertion. AssertJ is not for threads of the model checker.
  public static void check(boolean holds, Object seen) {
    if (!holds) {
      throw new AssertionError("Seen: " + seen);
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

  /// What a thread does; what it throws is a failure.
  @FunctionalInterface
  public interface Step {
    void run() throws Exception;
  }
}
