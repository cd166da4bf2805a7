package io.taskbroker.inflight;

import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.inflight.api.WorkerStats;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Channel of one worker that opened a stream: it has as many credits as the worker has free slots.
/// Not thread-safe.
final class WorkerStream implements DeliveryChannel {
  /// Tasks that operators see of a worker.
  private static final int SHOWN = 10;

  final WorkerSession session;
  final String application;

  /// The attempts that the worker has, as far as it has not reported their results.
  final Map<AttemptToken, InFlightTask> attempts = new HashMap<>();

  /// Last progress of each attempt for which the worker reported any.
  private final Map<AttemptToken, String> progress = new HashMap<>();

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
    int free = slots - attempts.size() - reserved;
    return closed || suspect != null || free <= 0 || !session.mayReceive() ? 0 : free;
  }

  @Override
  public boolean accepts(InFlightTask task) {
    return !task.isSuspect() || (attempts.isEmpty() && reserved == 0);
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
    if (reserved == 0 && attempts.isEmpty()) {
      suspect = null;
    }
  }

  @Override
  public void deliver(Delivery delivery) {
    reserved--;
    InFlightTask task = (InFlightTask) delivery.task();
    task.stream = this;
    attempts.put(delivery.token(), task);
    session.holds(attempts.size());
    session.deliver(delivery);
  }

  /// Handles an attempt that the worker has from another stream.
  void resumed(AttemptToken token, InFlightTask task) {
    task.stream = this;
    attempts.put(token, task);
    session.holds(attempts.size());
  }

  /// Handles the result of an attempt, whatever it is worth: its slot is free.
  void ended(AttemptToken token) {
    progress.remove(token);
    if (attempts.remove(token) != null) {
      session.holds(attempts.size());
      if (attempts.isEmpty() && reserved == 0) {
        suspect = null;
      }
    }
  }

  /// Notes the progress of an attempt; empty keeps the last one.
  void progress(AttemptToken token, String text) {
    if (!text.isEmpty()) {
      progress.put(token, text);
    }
  }

  /// The last progress of an attempt; may be empty.
  String progress(AttemptToken token) {
    return progress.getOrDefault(token, "");
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
        attempts.size() + reserved,
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
