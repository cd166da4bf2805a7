package io.taskbroker.runtime;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// FIFO of operations with one shared timeout; the oldest expires first. One timer serves all of
/// them, however many there are (G7). Confined to the thread of its timer.
///
/// @param <T> type of the operations
public final class Deadlines<T> {
  private final ScheduledExecutorService timer;
  private final long nanos;
  private final Consumer<T> expired;
  private final LongSupplier nanoTime;
  private @Nullable Deadline<T> oldest;
  private @Nullable Deadline<T> newest;
  private boolean scheduled;

  /// @param timer single-threaded
  /// @param expired called with each operation that timed out, after its removal
  public Deadlines(ScheduledExecutorService timer, Duration timeout, Consumer<T> expired) {
    this(timer, timeout, expired, System::nanoTime);
  }

  /// @param nanoTime clock of the timer, nanoseconds
  public Deadlines(
      ScheduledExecutorService timer,
      Duration timeout,
      Consumer<T> expired,
      LongSupplier nanoTime) {
    this.timer = timer;
    this.nanos = NANOSECONDS.convert(timeout);
    this.expired = expired;
    this.nanoTime = nanoTime;
  }

  /// Intrusive list node of one operation, so that removal needs no search.
  public static final class Deadline<T> {
    private final T of;
    private @Nullable Deadline<T> older;
    private @Nullable Deadline<T> newer;
    private long expiresAt;
    private boolean listed;

    public Deadline(T of) {
      this.of = of;
    }

    /// Whether its timeout runs.
    public boolean isListed() {
      return listed;
    }
  }

  /// Oldest operation; null if there is none.
  public @Nullable T oldest() {
    Deadline<T> first = oldest;
    return first == null ? null : first.of;
  }

  /// Adds an operation, whose timeout starts now. It must not be listed.
  public void begin(Deadline<T> deadline) {
    deadline.listed = true;
    deadline.expiresAt = nanoTime.getAsLong() + nanos;
    Deadline<T> last = newest;
    deadline.older = last;
    if (last == null) {
      oldest = deadline;
    } else {
      last.newer = deadline;
    }
    newest = deadline;
    schedule(nanos);
  }

  /// Removes a completed operation. Does nothing if it is not listed.
  public void end(Deadline<T> deadline) {
    if (!deadline.listed) {
      return;
    }
    deadline.listed = false;
    Deadline<T> older = deadline.older;
    Deadline<T> newer = deadline.newer;
    if (older == null) {
      oldest = newer;
    } else {
      older.newer = newer;
    }
    if (newer == null) {
      newest = older;
    } else {
      newer.older = older;
    }
    deadline.older = null;
    deadline.newer = null;
  }

  private void schedule(long after) {
    if (!scheduled) {
      scheduled = true;
      var _ = timer.schedule(this::expire, after, NANOSECONDS);
    }
  }

  private void expire() {
    scheduled = false;
    long now = nanoTime.getAsLong();
    for (Deadline<T> first = oldest; first != null; first = oldest) {
      if (first.expiresAt - now > 0) {
        schedule(first.expiresAt - now);
        return;
      }
      end(first);
      expired.accept(first.of);
    }
  }
}
