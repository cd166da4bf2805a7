package io.taskbroker.engine;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Who may run the engine: its reader, or, while that sleeps, one who told it something and takes
/// the round in its own thread (ADR 16). A wake-up costs more than most rounds do. Thread-safe;
/// what the one at the helm did is seen by the next.
final class EngineOwnership {
  private static final int ENGINE_THREAD = 0;
  private static final int FREE = 1;
  private static final int CALLER = 2;
  private static final int CALLER_ENGINE_THREAD_WAITS = 3;
  private static final long UNBOUNDED = Long.MAX_VALUE;

  private final ThreadParking parking;
  private final AtomicInteger owner = new AtomicInteger(ENGINE_THREAD);
  private @Nullable Thread engineThread; // written before the helm is free for the first time

  EngineOwnership(ThreadParking parking) {
    this.parking = parking;
  }

  /// How a thread sleeps and is woken.
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

    /// Returns when the thread is unparked, or was before, when the time is up, or for no reason.
    void park(Object blocker, long nanos);

    void unpark(Thread thread);
  }

  /// The reader leaves the helm. What arrived before must be looked for after this.
  void release() {
    engineThread = Thread.currentThread();
    owner.set(FREE);
    // What was offered must be seen by a reader that goes to sleep, or its sleep by who offered it.
    VarHandle.fullFence();
  }

  /// The reader, which left, sleeps for `nanos` nanoseconds, until it is woken, or for no reason.
  void sleep(long nanos) {
    parking.park(this, nanos);
  }

  /// The reader takes the helm again, as soon as no guest has it.
  void reacquire() {
    while (!owner.compareAndSet(FREE, ENGINE_THREAD)) {
      int now = owner.get();
      if (now == ENGINE_THREAD) {
        return; // it was handed over
      }
      if (now == CALLER_ENGINE_THREAD_WAITS || owner.compareAndSet(CALLER, CALLER_ENGINE_THREAD_WAITS)) {
        parking.park(this, UNBOUNDED);
      }
    }
  }

  /// Whether the reader has left and nobody is there. To be asked after something was offered.
  boolean isFree() {
    VarHandle.fullFence();
    return owner.get() == FREE;
  }

  /// @return whether the caller is at the helm now, until [#releaseByCaller]
  boolean tryAcquireAsCaller() {
    return owner.compareAndSet(FREE, CALLER);
  }

  /// The guest leaves.
  ///
  /// @return whether the reader is still asleep: then what arrived meanwhile must be looked for
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
