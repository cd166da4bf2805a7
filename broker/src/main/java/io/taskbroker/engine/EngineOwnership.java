package io.taskbroker.engine;

import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// Who may run the engine: its reader, or, while that sleeps, one who told it something and takes
/// the round in its own thread (ADR 16). A wake-up costs more than most rounds do. Thread-safe;
/// what the one at the helm did is seen by the next.
final class EngineOwnership {
  private static final int READER = 0;
  private static final int FREE = 1;
  private static final int GUEST = 2;
  private static final int GUEST_AND_READER_WAITS = 3;
  private static final long FOR_EVER = Long.MAX_VALUE;

  private final ThreadParking parking;
  private final AtomicInteger held = new AtomicInteger(READER);
  private @Nullable Thread reader; // written before the helm is free for the first time

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
  void leave() {
    reader = Thread.currentThread();
    held.set(FREE);
    // What was offered must be seen by a reader that goes to sleep, or its sleep by who offered it.
    VarHandle.fullFence();
  }

  /// The reader, which left, sleeps for `nanos` nanoseconds, until it is woken, or for no reason.
  void sleep(long nanos) {
    parking.park(this, nanos);
  }

  /// The reader takes the helm again, as soon as no guest has it.
  void takeBack() {
    while (!held.compareAndSet(FREE, READER)) {
      int now = held.get();
      if (now == READER) {
        return; // it was handed over
      }
      if (now == GUEST_AND_READER_WAITS || held.compareAndSet(GUEST, GUEST_AND_READER_WAITS)) {
        parking.park(this, FOR_EVER);
      }
    }
  }

  /// Whether the reader has left and nobody is there. To be asked after something was offered.
  boolean isFree() {
    VarHandle.fullFence();
    return held.get() == FREE;
  }

  /// @return whether the caller is at the helm now, until [#handBack]
  boolean takeAsGuest() {
    return held.compareAndSet(FREE, GUEST);
  }

  /// The guest leaves.
  ///
  /// @return whether the reader is still asleep: then what arrived meanwhile must be looked for
  boolean handBack() {
    if (held.compareAndSet(GUEST, FREE)) {
      VarHandle.fullFence();
      return true;
    }
    held.set(READER);
    wakeReader();
    return false;
  }

  void wakeReader() {
    Thread sleeper = reader;
    if (sleeper != null) {
      parking.unpark(sleeper);
    }
  }
}
