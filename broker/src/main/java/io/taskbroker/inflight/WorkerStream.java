package io.taskbroker.inflight;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.inflight.api.WorkerStats;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Channel of one worker that opened a stream: it has as many credits as the worker has free slots.
/// Not thread-safe.
final class WorkerStream implements DeliveryChannel {
  /// Tasks that operators see of a worker.
  private static final int SHOWN = 10;

  final WorkerSession session;
  final String application;

  /// The attempts of tasks that the worker has.
  final Map<AttemptToken, InFlightTask> attempts = new HashMap<>();

  /// Attempts that are over and whose results the worker has not sent: they take slots, but their
  /// tasks do not stay in memory for them (G7).
  private final Set<AttemptToken> over = new HashSet<>();

  private final List<String> namespaces;
  private int slots;

  /// Tasks whose status is being written before they are delivered.
  private int reserved;

  /// The task that the worker has alone, because workers died of it (G8).
  private @Nullable InFlightTask suspect;

  private boolean closed;

  WorkerStream(Command.WorkerOpened opened) {
    this.session = opened.session();
    this.application = opened.application();
    this.namespaces = opened.namespaces();
    this.slots = opened.slots();
  }

  void setSlots(int number) {
    slots = number;
  }

  @Override
  public List<String> namespaces() {
    return namespaces;
  }

  @Override
  public int credits(long now) {
    int free = slots - taken() - reserved;
    return closed || suspect != null || free <= 0 || !session.mayReceive() ? 0 : free;
  }

  @Override
  public boolean accepts(InFlightTask task) {
    return !task.isSuspect() || taken() + reserved == 0;
  }

  @Override
  public void reserve(InFlightTask task) {
    if (task.isSuspect()) {
      suspect = task;
    }
    reserved++;
  }

  @Override
  public void release() {
    reserved--;
    if (reserved + taken() == 0) {
      suspect = null;
    }
  }

  @Override
  public void deliver(Delivery delivery) {
    reserved--;
    InFlightTask task = (InFlightTask) delivery.task();
    task.stream = this;
    attempts.put(delivery.token(), task);
    session.holds(taken());
    session.deliver(delivery);
  }

  /// Handles an attempt that the worker has from another stream.
  void resumed(AttemptToken token, InFlightTask task) {
    task.stream = this;
    attempts.put(token, task);
    session.holds(taken());
  }

  /// Handles the result of an attempt, whatever it is worth: its slot is free.
  void ended(AttemptToken token) {
    if (attempts.remove(token) != null || over.remove(token)) {
      session.holds(taken());
      if (taken() + reserved == 0) {
        suspect = null;
      }
    }
  }

  /// Handles the end of an attempt without a result of this worker: its slot stays taken.
  void lost(AttemptToken token, InFlightTask task) {
    if (attempts.remove(token, task)) {
      over.add(token);
    }
  }

  /// Slots that are taken.
  private int taken() {
    return attempts.size() + over.size();
  }

  /// Whether the worker has one task.
  boolean isOfOneTask() {
    return taken() == 1;
  }

  @Override
  public boolean namesTasks() {
    return true;
  }

  @Override
  public String worker() {
    return session.worker();
  }

  /// View of the stream for operators.
  WorkerStats stats() {
    return new WorkerStats(
        session.description(),
        application,
        namespaces,
        slots,
        taken() + reserved,
        attempts.values().stream().limit(SHOWN).map(InFlightTask::id).toList());
  }

  @Override
  public boolean confirms() {
    return false;
  }

  void close() {
    closed = true;
  }

  @Override
  public boolean isClosed() {
    return closed;
  }
}
