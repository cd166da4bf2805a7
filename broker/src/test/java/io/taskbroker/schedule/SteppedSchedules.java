package io.taskbroker.schedule;

import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.telemetry.Metrics;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The real stage that keeps schedules, on a thread of a simulation.
public final class SteppedSchedules {
  private static final Metrics METRICS = new Metrics(); // never read

  private final Schedules stage;

  /// Thread of a simulation.
  public interface Sleeper {
    /// Suspends the calling thread until [#wake], or for so long.
    void sleep(long nanos) throws InterruptedException;

    /// Wakes the thread, if it sleeps.
    void wake();
  }

  /// @param committer takes queries to the store
  public SteppedSchedules(
      Consumer<StoreQuery> committer,
      CommandSink engine,
      boolean shared,
      SystemContext context,
      Sleeper sleeper) {
    stage =
        new Schedules(
            committer,
            engine,
            new EnqueuedTemplates(),
            shared,
            METRICS,
            (name, cause) -> {
              throw new IllegalStateException(name, cause);
            },
            context,
            new Sleeps(sleeper, context.ticker()));
  }

  public Schedules stage() {
    return stage;
  }

  /// Runs one turn, on the thread that sleeps.
  public void turn() throws InterruptedException {
    stage.turn();
  }

  private record Sleeps(Sleeper sleeper, Ticker ticker) implements Waits {
    @Override
    public <T> BlockingQueue<T> queue(int capacity) {
      return new Queue<>(capacity, this);
    }

    @Override
    public <T> T get(CompletableFuture<T> answer, int seconds)
        throws InterruptedException, ExecutionException, TimeoutException {
      var _ = answer.whenComplete((_, _) -> sleeper.wake());
      long until = ticker.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      while (!answer.isDone()) {
        sleep(until);
      }
      return answer.get();
    }

    private void sleep(long until) throws InterruptedException, TimeoutException {
      long left = until - ticker.nanoTime();
      if (left <= 0) {
        throw new TimeoutException();
      }
      sleeper.sleep(left);
    }
  }

  private static final class Queue<T> extends ArrayBlockingQueue<T> {
    private static final long serialVersionUID = 1;

    private final transient Sleeps sleeps;

    Queue(int capacity, Sleeps sleeps) {
      super(capacity);
      this.sleeps = sleeps;
    }

    @Override
    public boolean offer(T item) {
      boolean taken = super.offer(item);
      sleeps.sleeper.wake();
      return taken;
    }

    @Override
    public @Nullable T poll(long timeout, TimeUnit unit) throws InterruptedException {
      long until = sleeps.ticker.nanoTime() + unit.toNanos(timeout);
      try {
        while (isEmpty()) {
          sleeps.sleep(until);
        }
      } catch (TimeoutException _) {
        // as the caller sees
      }
      return poll();
    }
  }
}
