package io.taskbroker.inflight;

import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.PushPort;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Queues of the applications that have, or lately had, tasks in flight, and the subsets that need
/// work: a round costs nothing for all others (G8). One queue for each application with tasks in
/// flight, and a bounded number of idle ones (G7). Not thread-safe.
final class ApplicationQueues {
  /// Minimum number of queues at which idle ones are removed (G7).
  private static final int MAX_IDLE = 1_000;

  private final EngineOptions options;
  private final PushPort pushPort;
  private final Map<String, ApplicationQueue> queues = new LinkedHashMap<>();

  /// Ready tasks of all applications, for workers that poll for any.
  private final OldestFirstIndex ready = new OldestFirstIndex();

  /// Superset of the pushable queues that have ready tasks.
  final Set<ApplicationQueue> sending = new LinkedHashSet<>();

  /// Queues with parked rows to read, in the order of `readAt`.
  final TreeSet<ApplicationQueue> reading =
      new TreeSet<>(
          Comparator.<ApplicationQueue>comparingLong(queue -> queue.readAt)
              .thenComparing(queue -> queue.application));

  /// Queue of rows whose application is unknown.
  final ApplicationQueue nobody =
      new ApplicationQueue("", null, new OldestFirstPicker(new OldestFirstIndex()), 0);

  private int sweepAt = MAX_IDLE;

  ApplicationQueues(EngineOptions options, PushPort pushPort) {
    this.options = options;
    this.pushPort = pushPort;
  }

  /// The queue of an application; created if missing.
  ///
  /// @param now monotonic milliseconds
  ApplicationQueue of(String application, long now) {
    ApplicationQueue queue = queues.get(application);
    if (queue == null) {
      if (queues.size() >= sweepAt) {
        queues.values().removeIf(ApplicationQueue::isIdle);
        sweepAt = Math.max(MAX_IDLE, queues.size() + queues.size() / 4);
      }
      var pushed = options.pushApplications();
      PushChannel push =
          pushed != null && pushed.contains(application)
              ? new PushChannel(new CallWindow(options.limits().maxCalls()), pushPort)
              : null;
      queue = new ApplicationQueue(application, push, new PriorityPicker(ready), now);
      queues.put(application, queue);
    }
    return queue;
  }

  /// The queue of an application; null if it has none, because it had no tasks in flight lately.
  @Nullable ApplicationQueue find(String application) {
    return queues.get(application);
  }

  /// Number of queues, of which a fifth at most may be idle if there are many.
  int size() {
    return queues.size();
  }

  /// All queues; a view.
  Collection<ApplicationQueue> all() {
    return Collections.unmodifiableCollection(queues.values());
  }

  /// The ready task that arrived first; null if none is ready.
  @Nullable InFlightTask oldest() {
    return ready.oldest();
  }

  /// Updates the position of a queue among those with parked rows to read. Must be called when its
  /// backlog or its room changes.
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
