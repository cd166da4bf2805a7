package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Quarantine.QuarantinedRecord;
import java.util.ArrayList;
import java.util.List;

/// Handler of operators' requests on quarantined activations (H19). A decision is written before
/// anything is produced, as every forward is (G4). Not thread-safe.
final class QuarantineRequestHandler {
  private final EngineState state;
  private final TaskCompletion completion;

  QuarantineRequestHandler(EngineState state, TaskCompletion completion) {
    this.state = state;
    this.completion = completion;
  }

  QuarantineAnswer follow(QuarantineRequest order) {
    List<QuarantinedRecord> matching =
        state.quarantined.matching(state.tasks, order.ids(), order.topic());
    var tasks = new ArrayList<QuarantineAnswer.Task>();
    int done = 0;
    int left = 0;
    for (QuarantinedRecord one : matching) {
      boolean mayAct = done < order.limit() && state.hasRoom();
      switch (order.action()) {
        case LIST -> {
          if (tasks.size() < order.limit()) {
            tasks.add(describe(one));
          }
        }
        case RELEASE -> done += state.quarantined.release(one) ? 1 : 0;
        case RETARGET -> {
          if (!isFor(one, order.target())) {
            if (mayAct) {
              retarget(one, order.target());
              done++;
            } else {
              left++;
            }
          }
        }
        case DISCARD -> {
          if (mayAct) {
            discard(one);
            done++;
          } else {
            left++;
          }
        }
      }
    }
    return new QuarantineAnswer(matching.size(), done, left, state.forwarding, tasks);
  }

  private static boolean isFor(QuarantinedRecord one, String topic) {
    Destination destination = one.destination();
    return destination.topic().equals(topic) && destination.cluster().isEmpty();
  }

  /// Changes the topic. The row is read again behind this change, so that the record is produced to
  /// the topic that the row names.
  private void retarget(QuarantinedRecord one, String topic) {
    InFlightTask task = one.task();
    var destination = new Destination(topic, one.destination().headers());
    state.writeFor(
        task,
        new Change.Forward(
            task.key, task.id(), task.activation.origin(), task.status(), null, destination, task));
    state.quarantined.redirect(one, destination, state.now);
    QuarantinedRecord moved = state.quarantined.of(task);
    if (moved != null) {
      boolean _ = state.quarantined.release(moved);
    }
  }

  /// Deletes the task. Its id may come again: nothing with that id was produced.
  private void discard(QuarantinedRecord one) {
    InFlightTask task = one.task();
    state.tally(Tally.DISCARDED, task);
    state.effects.notice(
        Notice.DISCARDED,
        task.activation,
        "by an operator, it was for " + one.destination().topic());
    completion.endQuarantine(task, task.status() == Status.FAILURE);
  }

  private static QuarantineAnswer.Task describe(QuarantinedRecord one) {
    InFlightTask task = one.task();
    Activation activation = task.activation;
    Destination destination = one.destination();
    return new QuarantineAnswer.Task(
        task.id(),
        activation.application(),
        activation.namespace(),
        activation.taskname(),
        task.status().storedName(),
        destination.topic(),
        destination.cluster(),
        one.reason(),
        one.size(),
        one.since(),
        activation.receivedAt());
  }
}
