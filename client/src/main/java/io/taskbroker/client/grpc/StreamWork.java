package io.taskbroker.client.grpc;

import io.taskbroker.client.spi.Attempt;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Running attempts of one broker, and messages to send to it. They outlive its streams. Guarded by
/// the lock of its [StreamSender].
final class StreamWork {
  private final WorkerOptions options;
  private final ArrayDeque<Result> results = new ArrayDeque<>();
  private final Set<Attempt> heartbeats = new LinkedHashSet<>();
  private final Set<Attempt> running = new HashSet<>();

  /// Attempts of earlier streams that the broker does not know to be here yet.
  private final ArrayDeque<Attempt> orphans = new ArrayDeque<>();

  private boolean heartbeatDue;
  private boolean draining;

  private enum Kind {
    NOTHING,
    ORPHANS,
    SLOTS,
    RESULTS,
    HEARTBEAT
  }

  StreamWork(WorkerOptions options) {
    this.options = options;
  }

  /// Slots that the broker may fill.
  int slots() {
    return draining ? 0 : Math.max(0, options.slotsNow() - orphans.size());
  }

  int running() {
    return running.size();
  }

  boolean hasResults() {
    return !results.isEmpty();
  }

  /// Offers no more slots.
  void drain() {
    draining = true;
  }

  /// Heartbeats may be sent.
  void tick(WorkerStream to) {
    heartbeatDue = !heartbeats.isEmpty() || to.isHeartbeatDue(!running.isEmpty());
  }

  /// @return false if the caller must give the attempts back
  boolean take(List<Attempt> attempts) {
    return !draining && running.addAll(attempts);
  }

  void add(Result result) {
    results.addLast(result);
  }

  void heartbeat(Attempt attempt) {
    heartbeats.add(attempt);
  }

  void ended(Attempt attempt) {
    running.remove(attempt);
    orphans.remove(attempt);
    heartbeats.remove(attempt);
  }

  /// A new stream opens: the broker must learn what runs here.
  void reconnect() {
    orphans.clear();
    orphans.addAll(running);
  }

  /// A stream ended: what it did not acknowledge is sent again.
  void disconnected(List<Result> unacknowledged) {
    for (Result each : unacknowledged.reversed()) {
      results.addFirst(each);
    }
    heartbeats.clear();
    heartbeatDue = false;
  }

  /// Whether there is something to send now.
  boolean hasNext(WorkerStream to) {
    return kind(to) != Kind.NOTHING;
  }

  /// Next message to send; null if there is none.
  @Nullable WorkerMessage next(WorkerStream to) {
    return switch (kind(to)) {
      case NOTHING -> null;
      case ORPHANS -> heartbeat(orphans, to.maxResults());
      case SLOTS -> to.setSlots(slots());
      case RESULTS -> to.nextResults(results);
      case HEARTBEAT -> {
        heartbeatDue = false;
        yield heartbeat(heartbeats, to.maxResults());
      }
    };
  }

  private Kind kind(WorkerStream to) {
    Kind kind;
    if (!orphans.isEmpty()) {
      kind = Kind.ORPHANS;
    } else if (to.slots() != slots()) {
      kind = Kind.SLOTS;
    } else if (!results.isEmpty() && to.maySendResults(results.size())) {
      kind = Kind.RESULTS;
    } else {
      kind = heartbeatDue ? Kind.HEARTBEAT : Kind.NOTHING;
    }
    return kind == Kind.NOTHING || to.isWritable() ? kind : Kind.NOTHING;
  }

  /// A heartbeat of the first of the attempts, which are removed.
  private static WorkerMessage heartbeat(Collection<Attempt> attempts, int most) {
    Heartbeat.Builder heartbeat = Heartbeat.newBuilder();
    Iterator<Attempt> left = attempts.iterator();
    while (left.hasNext() && heartbeat.getTasksCount() < most) {
      Attempt each = left.next();
      left.remove();
      heartbeat.addTasks(
          TaskHeartbeat.newBuilder()
              .setId(each.id())
              .setToken(each.delivery().getToken())
              .setProgress(each.progress()));
    }
    return WorkerMessage.newBuilder().setHeartbeat(heartbeat).build();
  }
}
