package io.taskbroker.engine;

import java.util.concurrent.locks.LockSupport;

/// How a thread sleeps and is woken.
interface Parking {
  Parking SYSTEM =
      new Parking() {
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
