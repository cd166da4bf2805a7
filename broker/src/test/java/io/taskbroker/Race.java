package io.taskbroker;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Repeated concurrent start of threads, for what [Interleavings] cannot model, such as memory
/// ordering, event loops and files. `-Drace.factor=N` multiplies the number of rounds.
public final class Race {
  private static final int FACTOR = Integer.getInteger("race.factor", 1);
  private static final int SPINS = 1_000;

  private Race() {}

  /// Runs the threads concurrently, once per round on a new object.
  ///
  /// @param <S> type of the shared object
  /// @param threads must end
  /// @param check must hold after all threads have ended
  public static <S> void of(
      int rounds, Supplier<S> fresh, List<Racer<S>> threads, Consumer<S> check) {
    var round = new AtomicInteger();
    var ended = new AtomicInteger();
    var shared = new AtomicReference<@Nullable S>();
    var failure = new AtomicReference<@Nullable Throwable>();
    var over = new AtomicBoolean();
    int count = rounds * FACTOR;
    for (Racer<S> racer : threads) {
      Thread.ofPlatform()
          .daemon()
          .start(() -> {
            for (int i = 1; i <= count; i++) {
              int mine = i;
              await(() -> round.get() >= mine || over.get());
              if (over.get()) {
                return;
              }
              try {
                racer.run(Objects.requireNonNull(shared.get()));
              } catch (Throwable e) {
                failure.compareAndSet(null, e);
              }
              ended.incrementAndGet();
            }
          });
    }
    try {
      for (int i = 1; i <= count; i++) {
        S state = fresh.get();
        shared.set(state);
        ended.set(0);
        round.set(i);
        await(() -> ended.get() == threads.size());
        Throwable failed = failure.get();
        if (failed != null) {
          throw new AssertionError("Round " + i, failed);
        }
        check.accept(state);
      }
    } finally {
      over.set(true);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // races depend on the scheduler
  private static void await(Condition condition) {
    for (int i = 0; !condition.holds(); i++) {
      if (i < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  /// Body of a thread in one round; an exception is a failure.
  ///
  /// @param <S> type of the shared object
  @FunctionalInterface
  public interface Racer<S> {
    void run(S shared) throws Exception;
  }

  @FunctionalInterface
  private interface Condition {
    boolean holds();
  }
}
