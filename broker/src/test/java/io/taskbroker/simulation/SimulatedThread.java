package io.taskbroker.simulation;

import io.taskbroker.schedule.SteppedSchedules;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/// Thread of a broker process whose code waits in the middle of a turn. It is a thread of its own,
/// which runs only while that of the world waits for it: there is never more than one.
final class SimulatedThread implements SteppedSchedules.Sleeper {
  private final SimulatedProcess process;
  private final String name;
  private final Loop loop;
  private final Thread thread = Thread.ofVirtual().unstarted(this::run);

  /// Passes the turn to this thread, and back to the world.
  private final Semaphore here = new Semaphore(0);

  private final Semaphore world = new Semaphore(0);
  private long sleeps;
  private boolean asleep;
  private boolean ending;
  private @Nullable Throwable failure;

  /// Body of a thread, repeated until its process ends.
  interface Loop {
    void turn() throws InterruptedException;
  }

  SimulatedThread(SimulatedProcess process, String name, Loop loop) {
    this.process = process;
    this.name = name;
    this.loop = loop;
  }

  void start() {
    process.later(process.latency(), name, () -> {
      thread.start();
      await();
    });
  }

  /// Ends it: its process died, or stops.
  void end() {
    ending = true;
    if (asleep) {
      resume();
    }
  }

  @Override
  public void sleep(long nanos) throws InterruptedException {
    if (!ending) {
      asleep = true;
      sleeps++;
      resumeIn(nanos);
      world.release();
      here.acquireUninterruptibly();
    }
    if (ending) {
      throw new InterruptedException("the process ends");
    }
  }

  @Override
  public void wake() {
    if (asleep) {
      resumeIn(process.latency());
    }
  }

  private void resumeIn(long nanos) {
    long number = sleeps;
    process.later(nanos, name, () -> {
      if (asleep && number == sleeps) {
        resume();
      }
    });
  }

  private void resume() {
    asleep = false;
    here.release();
    await();
  }

  /// Lets it run until it sleeps or ends.
  private void await() {
    world.acquireUninterruptibly();
    switch (failure) {
      case Error error -> throw error;
      case RuntimeException exception -> throw exception;
      case null, default -> {}
    }
  }

  private void run() {
    try {
      while (!ending) {
        loop.turn();
      }
    } catch (InterruptedException _) {
      // as it was told
    } catch (Throwable e) {
      failure = e;
    } finally {
      world.release();
    }
  }
}
