package io.taskbroker.engine;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import java.lang.invoke.VarHandle;
import java.util.Queue;
import java.util.concurrent.locks.LockSupport;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;

/// The two lanes by which commands reach the engine: one for the requests of workers, bounded, and
/// one for everything that its sender bounds itself, completions above all, which is always taken
/// in first (H14). Thread-safe for any number of senders and one reader.
public final class Mailbox implements CommandSink {
  private static final int CHUNK = 1024;

  private final Queue<Command> told;
  private final Queue<Command.Request> requests;
  private final Sleeper parking;

  private volatile String closed = "the broker is starting";
  private volatile @Nullable Thread sleeper;

  /// @param maxRequests how many requests may wait
  public Mailbox(int maxRequests) {
    this(new MpscUnboundedArrayQueue<>(CHUNK), new MpscArrayQueue<>(maxRequests), Sleeper.SYSTEM);
  }

  /// @param told without bound
  /// @param requests refuses what is over the bound
  Mailbox(Queue<Command> told, Queue<Command.Request> requests, Sleeper parking) {
    this.told = told;
    this.requests = requests;
    this.parking = parking;
  }

  /// How the reader sleeps and is woken.
  interface Sleeper {
    Sleeper SYSTEM =
        new Sleeper() {
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

  /// Takes in requests from now on.
  public void open() {
    closed = "";
  }

  /// Refuses requests from now on.
  ///
  /// @param why what workers are told
  public void close(String why) {
    closed = why;
  }

  @Override
  public void request(Command.Request request) {
    String why = closed;
    if (!why.isEmpty()) {
      request.unavailable(why);
    } else if (requests.offer(request)) {
      wake();
    } else {
      request.unavailable("too many requests are waiting");
    }
  }

  @Override
  public void submit(Command command) {
    boolean _ = told.offer(command); // has no bound
    wake();
  }

  /// Wakes the reader if it sleeps.
  void wake() {
    // What was offered must be seen by a reader that goes to sleep, or its sleep by us.
    VarHandle.fullFence();
    Thread reader = sleeper;
    if (reader != null) {
      parking.unpark(reader);
    }
  }

  @Nullable Command nextTold() {
    return told.poll();
  }

  Command.@Nullable Request nextRequest() {
    return requests.poll();
  }

  /// How many commands wait. Any thread may ask.
  public int size() {
    return told.size() + requests.size();
  }

  boolean isEmpty() {
    return told.isEmpty() && requests.isEmpty();
  }

  /// Sleeps until something arrives, or for `nanos` nanoseconds. Called by the reader.
  ///
  /// @param requestsCount whether waiting requests are a reason not to sleep
  void sleep(long nanos, boolean requestsCount) {
    sleeper = Thread.currentThread();
    VarHandle.fullFence();
    if (told.isEmpty() && (requests.isEmpty() || !requestsCount)) {
      parking.park(this, nanos);
    }
    sleeper = null;
  }
}
