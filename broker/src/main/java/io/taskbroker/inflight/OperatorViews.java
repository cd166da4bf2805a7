package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.inflight.api.ApplicationStats;
import io.taskbroker.inflight.api.TaskSnapshot;
import io.taskbroker.inflight.api.WaitingReason;
import io.taskbroker.inflight.api.WorkerStats;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// Reader of the engine's state of tasks and applications, for operators. Changes nothing.
final class OperatorViews {
  private static final byte[] NONE = {};

  private OperatorViews() {}

  /// The snapshot of a task in memory or parked; null if the engine has none of that id.
  static @Nullable TaskSnapshot task(EngineState state, String id) {
    WaitingReason why = WaitingReasons.of(state, id);
    if (why == null) {
      return null;
    }
    InFlightTask task = state.tasks.get(id);
    if (task == null) {
      Fingerprint fingerprint = Ids.fingerprint(id);
      PartitionKey partition = state.parked.find(fingerprint);
      long key = partition == null ? -1 : state.parked.key(fingerprint, partition);
      return new TaskSnapshot(
          id, key, "", TaskSnapshot.PARKED, 0, 0, OptionalLong.empty(), why, NONE);
    }
    return new TaskSnapshot(
        id,
        task.key,
        task.status().storedName(),
        task.state().name(),
        task.attempts,
        task.deliveries,
        task.status().isHandedOut()
            ? OptionalLong.of(state.wallTime(task.deadline))
            : OptionalLong.empty(),
        why,
        task.record == null ? NONE : task.record.history.encoded());
  }

  /// The first applications, at most so many.
  static List<ApplicationStats> applications(EngineState state, int limit) {
    return state.queues.all().stream().limit(limit).map(queue -> of(state, queue)).toList();
  }

  private static ApplicationStats of(EngineState state, ApplicationQueue queue) {
    InFlightTask oldest = queue.ready.oldest();
    return new ApplicationStats(
        queue.application,
        queue.hasReady(),
        queue.pending,
        queue.handedOut,
        queue.delayed,
        queue.backlog.holdsAny(),
        oldest == null ? OptionalLong.empty() : OptionalLong.of(oldest.activation.receivedAt()),
        queue.memoryBytes,
        Optional.ofNullable(queue.push).map(push -> of(state, push)));
  }

  /// The first workers with streams, at most so many.
  static List<WorkerStats> workers(EngineState state, int limit) {
    return state.queues.all().stream()
        .flatMap(queue -> queue.channels().stream())
        .filter(WorkerStream.class::isInstance)
        .map(WorkerStream.class::cast)
        .limit(limit)
        .map(WorkerStream::stats)
        .toList();
  }

  private static ApplicationStats.Push of(EngineState state, PushChannel push) {
    long ends = push.pauseEnds(state.now);
    return new ApplicationStats.Push(
        push.calls(),
        push.window.size(),
        ends == Long.MAX_VALUE ? OptionalLong.empty() : OptionalLong.of(state.wallTime(ends)));
  }
}
