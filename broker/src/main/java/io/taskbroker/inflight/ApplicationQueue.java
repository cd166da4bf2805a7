package io.taskbroker.inflight;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What is in flight of one application, and how its workers do: the unit of isolation (G8). Not
/// thread-safe.
final class ApplicationQueue {
  /// What an application needs of the heap beside the entries of it, in bytes: 698 were measured,
  /// and 626 with compact object headers (`InFlightTaskBytesTest`).
  static final int OVERHEAD_BYTES = 720;

  private static final long PAUSE_MIN_MS = 20;
  private static final long PAUSE_MAX_MS = 1_000;

  /// The longest pause where each call costs an at-most-once activation its only run.
  private static final long PAUSE_ONCE_MS = 30_000;

  /// After so many pauses for load in a row operators hear of it.
  private static final int LASTING = 6;

  /// After so many activations were rejected in a row the worker is to blame, and not each of them.
  private static final int REJECTIONS = 4;

  final String application;
  final ParkedBacklog backlog;
  final CallWindow window;

  /// Whether there is a worker to push to.
  final boolean routable;

  /// Entries in memory that could run, stored or not, those that workers have, and those whose time
  /// is to come.
  int pending;

  int handedOut;
  int delayed;

  /// Entries that wait for their partition to return, which count as neither of these.
  int suspended;

  /// Those of the delayed that were parked and are read back.
  int unparked;

  /// Push calls in flight, marks that wait to become one included.
  int calls;

  /// How many activations its workers took, and how many calls they rejected.
  long accepted;

  long rejected;

  /// The activation that a worker is called with, alone, as workers were lost with it before; while
  /// there is one, no other call is made.
  @Nullable InFlightTask suspect;

  /// Monotonic milliseconds: when a worker last died of an activation that it was called with
  /// alone.
  long diedAt = Long.MIN_VALUE;

  /// Monotonic milliseconds: when a worker last took something, and when it last was given
  /// something to run.
  long progressAt;

  long arrivedAt;
  long noticedAt = Long.MIN_VALUE;

  /// Bytes of memory that its entries take.
  long memoryBytes;

  /// When parked rows are to be read, wall-clock milliseconds, as [EngineState] has it in its
  /// order; [Long#MAX_VALUE] if never, or if there is no room for them.
  long readAt = Long.MAX_VALUE;

  private final Map<String, ReadyQueue> queues = new LinkedHashMap<>();

  /// The order of the queues, kept while there is more than one.
  private final OldestFirstIndex order = new OldestFirstIndex();

  /// The order of the queues of all applications.
  private final OldestFirstIndex readyOfAll;

  private long pausedUntil = Long.MIN_VALUE;
  private int consecutiveFailures;
  private int rejections;

  /// Whether it waits for a worker that has no room, so that a report ends the pause.
  private boolean waitsForRoom;

  ApplicationQueue(
      String application, boolean routable, CallWindow window, OldestFirstIndex all, long now) {
    this.readyOfAll = all;
    this.application = application;
    this.routable = routable;
    this.window = window;
    this.backlog = new ParkedBacklog(this);
    this.progressAt = now;
    this.arrivedAt = now;
  }

  /// @param back whether the entry was in the queue lately, and is to have its place again
  void enqueue(InFlightTask task, boolean back) {
    ReadyQueue queue = queues.computeIfAbsent(task.activation.namespace(), _ -> new ReadyQueue());
    InFlightTask before = queue.first();
    if (back) {
      queue.addBack(task);
    } else {
      queue.addLast(task);
    }
    order(queue, before);
  }

  void dequeue(InFlightTask task) {
    ReadyQueue queue = task.readyQueue;
    if (queue != null) {
      InFlightTask before = queue.first();
      queue.remove(task);
      if (queue.first() == null) {
        queues.remove(task.activation.namespace());
      }
      order(queue, before);
    }
  }

  private void order(ReadyQueue changed, @Nullable InFlightTask before) {
    readyOfAll.changed(changed, before);
    if (queues.size() < 2) {
      order.clear();
    } else if (order.isEmpty()) {
      queues.values().forEach(queue -> order.changed(queue, null));
    } else {
      order.changed(changed, before);
    }
  }

  /// For how many parked rows there is room in memory.
  int unparkRoom(int maxPending) {
    return maxPending - pending - unparked;
  }

  boolean isIdle() {
    return pending == 0
        && suspended == 0
        && handedOut == 0
        && delayed == 0
        && calls == 0
        && !backlog.holdsAny();
  }

  boolean hasReady() {
    return !queues.isEmpty();
  }

  /// The entry that arrived first, of the namespace if one is given.
  @Nullable InFlightTask oldest(@Nullable String namespace) {
    if (namespace != null) {
      ReadyQueue queue = queues.get(namespace);
      return queue == null ? null : queue.first();
    }
    return order.isEmpty() ? firstOfOnly() : order.oldest();
  }

  private @Nullable InFlightTask firstOfOnly() {
    for (ReadyQueue queue : queues.values()) {
      return queue.first();
    }
    return null;
  }

  boolean canPush(long now) {
    return routable && now >= pausedUntil && suspect == null && window.admits(calls);
  }

  /// When sending may go on after a misfortune; [Long#MAX_VALUE] if it is not held up by one.
  long pauseEnds(long now) {
    return routable && hasReady() && pausedUntil > now ? pausedUntil : Long.MAX_VALUE;
  }

  void succeeded(long now) {
    consecutiveFailures = 0;
    rejections = 0;
    accepted++;
    progressAt = now;
  }

  /// A worker refused for load. Where other calls are in flight their end says when to go on; else
  /// it waits, or until a report says that a worker has room.
  void pauseForLoad(long sentAt, long now, RandomGenerator random) {
    if (calls == 0) {
      pause(sentAt, now, random);
      waitsForRoom = true;
    }
  }

  /// A worker reported something that it had.
  void workerFreed(long now) {
    if (waitsForRoom) {
      waitsForRoom = false;
      pausedUntil = now;
    }
  }

  /// Whether load has held it up for long.
  boolean isHeldUpForLong() {
    return consecutiveFailures >= LASTING;
  }

  /// A worker rejected an activation. Returns whether it rejects whatever it is handed; then the
  /// lane begins with a probe, after a pause.
  ///
  /// @param once whether that was an at-most-once activation
  boolean rejects(long sentAt, boolean once, long now, RandomGenerator random) {
    if (++rejections < REJECTIONS) {
      return false;
    }
    window.failed(now);
    pause(sentAt, once ? PAUSE_ONCE_MS : PAUSE_MAX_MS, now, random);
    return true;
  }

  /// Waits before the next call, the longer the more calls failed in a row. Calls that were sent
  /// before the pause began do not prolong it.
  void pause(long sentAt, long now, RandomGenerator random) {
    pause(sentAt, PAUSE_MAX_MS, now, random);
  }

  private void pause(long sentAt, long max, long now, RandomGenerator random) {
    if (sentAt < pausedUntil) {
      return;
    }
    long longest = Math.min(max, PAUSE_MIN_MS << Math.min(consecutiveFailures, 11));
    consecutiveFailures++;
    waitsForRoom = false;
    pausedUntil = now + longest / 2 + random.nextLong(longest / 2 + 1);
  }

  /// Whether nothing but one activation that a worker was called with is there to run.
  boolean hasNoOther() {
    return pending == 0 && calls == 0 && !backlog.holdsAny();
  }
}
