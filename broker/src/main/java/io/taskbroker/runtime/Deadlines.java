package io.taskbroker.runtime;

import static java.util.concurrent.TimeUnit.NANOSECONDS;

import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What may all take the same time, the oldest first, which is the order in which that is over. One
/// timer for all of it, however much there is (G7). Confined to the thread of its timer.
///
/// @param <T> what takes its time
public final class Deadlines<T> {
  private final ScheduledExecutorService timer;
  private final long nanos;
  private final Consumer<T> late;
  private @Nullable Deadline<T> oldest;
  private @Nullable Deadline<T> newest;
  private boolean timed;

  /// @param timer has one thread
  /// @param late told of each whose time is over; it is not listed any more
  public Deadlines(ScheduledExecutorService timer, Duration time, Consumer<T> late) {
    this.timer = timer;
    this.nanos = NANOSECONDS.convert(time);
    this.late = late;
  }

  /// The place of one thing in the list, which it keeps, so that it is found without a search.
  public static final class Deadline<T> {
    private final T of;
    private @Nullable Deadline<T> older;
    private @Nullable Deadline<T> newer;
    private long endsAt;
    private boolean listed;

    public Deadline(T of) {
      this.of = of;
    }
  }

  /// The one that was listed first; null if nothing is.
  public @Nullable T oldest() {
    Deadline<T> first = oldest;
    return first == null ? null : first.of;
  }

  /// Its time begins now. It must not be listed.
  public void begin(Deadline<T> deadline) {
    deadline.listed = true;
    deadline.endsAt = System.nanoTime() + nanos;
    Deadline<T> last = newest;
    deadline.older = last;
    if (last == null) {
      oldest = deadline;
    } else {
      last.newer = deadline;
    }
    newest = deadline;
    time(nanos);
  }

  /// It is done. Does nothing if it is not listed.
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

  private void time(long after) {
    if (!timed) {
      timed = true;
      var _ = timer.schedule(this::expire, after, NANOSECONDS);
    }
  }

  private void expire() {
    timed = false;
    long now = System.nanoTime();
    for (Deadline<T> first = oldest; first != null; first = oldest) {
      if (first.endsAt - now > 0) {
        time(first.endsAt - now);
        return;
      }
      end(first);
      late.accept(first.of);
    }
  }
}
