package io.taskbroker.engine;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Exclusive right to run the engine. The engine's thread holds it while awake; while that thread
/// sleeps, a sender may acquire it and run the round itself (ADR 16), since a wake-up costs more
/// than most rounds. Thread-safe; the next owner sees the writes of the previous one.
final class EngineOwnership {
  private static final int ENGINE_THREAD = 0;
  private static final int FREE = 1;
  private static final int CALLER = 2;
  private static final int CALLER_WITH_WAITER = 3;
  private static final long UNBOUNDED = Long.MAX_VALUE;

  private final ThreadParking parking;
  private final AtomicInteger owner = new AtomicInteger(ENGINE_THREAD);
  private @Nullable Thread engineThread; // written before the first release

  EngineOwnership(ThreadParking parking) {
    this.parking = parking;
  }

  /// Parking of threads, replaceable in tests.
  interface ThreadParking {
    ThreadParking SYSTEM =
        new ThreadParking() {
          @Override
          public void park(Object blocker, long nanos) {
            LockSupport.parkNanos(blocker, nanos);
          }

          @Override
          public void unpark(Thread thread) {
            LockSupport.unpark(thread);
          }
        };

    /// Returns when the thread is or was unparked, when the time is up, or spuriously.
    void park(Object blocker, long nanos);

    void unpark(Thread thread);
  }

  /// Releases the engine before the engine's thread sleeps. The caller must check for commands
  /// afterwards: one may have arrived before the release.
  void release() {
    engineThread = Thread.currentThread();
    owner.set(FREE);
    // Either the engine's thread sees the offered command before it sleeps, or the sender sees it
    // asleep.
    VarHandle.fullFence();
  }

  /// Parks the engine's thread for up to `nanos` nanoseconds; may return spuriously.
  void sleep(long nanos) {
    parking.park(this, nanos);
  }

  /// Reacquires the engine for the engine's thread; waits until no caller holds it.
  void reacquire() {
    while (!owner.compareAndSet(FREE, ENGINE_THREAD)) {
      int now = owner.get();
      if (now == ENGINE_THREAD) {
        return; // a caller handed it over
      }
      if (now == CALLER_WITH_WAITER || owner.compareAndSet(CALLER, CALLER_WITH_WAITER)) {
        parking.park(this, UNBOUNDED);
      }
    }
  }

  /// Whether nobody holds the engine. Call it after offering a command.
  boolean isFree() {
    VarHandle.fullFence();
    return owner.get() == FREE;
  }

  /// @return whether the caller holds the engine now, until [#releaseByCaller]
  boolean tryAcquireAsCaller() {
    return owner.compareAndSet(FREE, CALLER);
  }

  /// Releases the engine after a caller's round.
  ///
  /// @return whether the engine's thread still sleeps: the caller must then check for new commands
  boolean releaseByCaller() {
    if (owner.compareAndSet(CALLER, FREE)) {
      VarHandle.fullFence();
      return true;
    }
    owner.set(ENGINE_THREAD);
    wakeEngineThread();
    return false;
  }

  void wakeEngineThread() {
    Thread sleeper = engineThread;
    if (sleeper != null) {
      parking.unpark(sleeper);
    }
  }
}
