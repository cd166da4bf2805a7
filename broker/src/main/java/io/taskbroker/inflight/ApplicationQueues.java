package io.taskbroker.inflight;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// The applications of which something is, or lately was, in flight, and which of them have
/// something to do, so that a round costs nothing for all others (G8). There are as many lanes as
/// have something in flight, and a bounded number of idle ones (G7). Not thread-safe.
final class ApplicationQueues {
  /// Past so many applications, those of which nothing is in flight are forgotten (G7).
  private static final int MAX_IDLE = 1_000;

  private final EngineOptions options;
  private final Map<String, ApplicationQueue> queues = new LinkedHashMap<>();

  /// What is ready of all applications, for workers that take any.
  private final OldestFirstIndex ready = new OldestFirstIndex();

  /// Where every lane is that has a worker to push to and something ready; others may be, too.
  final Set<ApplicationQueue> sending = new LinkedHashSet<>();

  /// The lanes that are to read parked rows, in the order in which they are.
  final TreeSet<ApplicationQueue> reading =
      new TreeSet<>(
          Comparator.<ApplicationQueue>comparingLong(queue -> queue.readAt)
              .thenComparing(queue -> queue.application));

  /// The lane of what belongs to no application that is known.
  final ApplicationQueue nobody = new ApplicationQueue("", null, new OldestFirstIndex(), 0);

  private int sweepAt = MAX_IDLE;

  ApplicationQueues(EngineOptions options) {
    this.options = options;
  }

  /// The lane of an application, which is made if there is none.
  ///
  /// @param now monotonic milliseconds
  ApplicationQueue of(String application, long now) {
    ApplicationQueue queue = queues.get(application);
    if (queue == null) {
      if (queues.size() >= sweepAt) {
        queues.values().removeIf(ApplicationQueue::isIdle);
        sweepAt = Math.max(MAX_IDLE, 2 * queues.size());
      }
      var pushed = options.pushApplications();
      PushChannel push =
          pushed != null && pushed.contains(application)
              ? new PushChannel(new CallWindow(options.limits().maxCalls()))
              : null;
      queue = new ApplicationQueue(application, push, ready, now);
      queues.put(application, queue);
    }
    return queue;
  }

  /// The lane of an application; null if it has none, as nothing of it was in flight lately.
  @Nullable ApplicationQueue find(String application) {
    return queues.get(application);
  }

  /// All lanes; a view.
  Collection<ApplicationQueue> all() {
    return Collections.unmodifiableCollection(queues.values());
  }

  /// The entry that arrived first of all that is ready; null if nothing is.
  @Nullable InFlightTask oldest() {
    return ready.oldest();
  }

  /// Gives the lane its place among those that are to read parked rows. To be called when its
  /// parking, or the room that it has, changed.
  void schedule(ApplicationQueue queue) {
    long at =
        queue.unparkRoom(options.limits().maxPending()) > 0
            ? queue.backlog.nextRead()
            : Long.MAX_VALUE;
    if (at != queue.readAt) {
      if (queue.readAt != Long.MAX_VALUE) {
        reading.remove(queue);
      }
      queue.readAt = at;
      if (at != Long.MAX_VALUE) {
        reading.add(queue);
      }
    }
  }
}
