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
final class Lanes {
  /// Past so many applications, those of which nothing is in flight are forgotten (G7).
  private static final int MAX_IDLE = 1_000;

  private final InflightOptions options;
  private final Map<String, Lane> lanes = new LinkedHashMap<>();

  /// What is ready of all applications, for workers that take any.
  private final Heads ready = new Heads();

  /// Where every lane is that has a worker to push to and something ready; others may be, too.
  final Set<Lane> sending = new LinkedHashSet<>();

  /// The lanes that are to read parked rows, in the order in which they are.
  final TreeSet<Lane> reading =
      new TreeSet<>(
          Comparator.<Lane>comparingLong(lane -> lane.readAt)
              .thenComparing(lane -> lane.application));

  /// The lane of what belongs to no application that is known.
  final Lane nobody = new Lane("", false, new CallWindow(1), new Heads(), 0);

  private int sweepAt = MAX_IDLE;

  Lanes(InflightOptions options) {
    this.options = options;
  }

  /// The lane of an application, which is made if there is none.
  ///
  /// @param now monotonic milliseconds
  Lane of(String application, long now) {
    Lane lane = lanes.get(application);
    if (lane == null) {
      if (lanes.size() >= sweepAt) {
        lanes.values().removeIf(Lane::isIdle);
        sweepAt = Math.max(MAX_IDLE, 2 * lanes.size());
      }
      var pushed = options.pushApplications();
      boolean routable = pushed != null && pushed.contains(application);
      lane =
          new Lane(application, routable, new CallWindow(options.limits().maxCalls()), ready, now);
      lanes.put(application, lane);
    }
    return lane;
  }

  /// The lane of an application; null if it has none, as nothing of it was in flight lately.
  @Nullable Lane find(String application) {
    return lanes.get(application);
  }

  /// All lanes; a view.
  Collection<Lane> all() {
    return Collections.unmodifiableCollection(lanes.values());
  }

  /// The entry that arrived first of all that is ready; null if nothing is.
  @Nullable Entry oldest() {
    return ready.oldest();
  }

  /// Gives the lane its place among those that are to read parked rows. To be called when its
  /// parking, or the room that it has, changed.
  void schedule(Lane lane) {
    long at =
        lane.room(options.limits().maxPending()) > 0 ? lane.parking.nextRead() : Long.MAX_VALUE;
    if (at != lane.readAt) {
      if (lane.readAt != Long.MAX_VALUE) {
        reading.remove(lane);
      }
      lane.readAt = at;
      if (at != Long.MAX_VALUE) {
        reading.add(lane);
      }
    }
  }
}
