package io.taskbroker.inflight;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Destination;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Quarantine.QuarantinedRecord;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
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

  QuarantineAnswer handle(QuarantineRequest request) {
    List<QuarantinedRecord> matching =
        state.quarantined.matching(state.tasks, request.ids(), request.topic());
    var tasks = new ArrayList<QuarantineAnswer.Task>();
    int done = 0;
    int left = 0;
    for (QuarantinedRecord record : matching) {
      boolean mayAct = done < request.limit() && state.hasRoom();
      switch (request.action()) {
        case LIST -> {
          if (tasks.size() < request.limit()) {
            tasks.add(describe(record));
          }
        }
        case RELEASE -> done += state.quarantined.release(record) ? 1 : 0;
        case RETARGET -> {
          if (!isFor(record, request.target())) {
            if (mayAct) {
              retarget(record, request.target());
              done++;
            } else {
              left++;
            }
          }
        }
        case DISCARD -> {
          if (mayAct) {
            discard(record);
            done++;
          } else {
            left++;
          }
        }
      }
    }
    return new QuarantineAnswer(matching.size(), done, left, state.forwarding, tasks);
  }

  private static boolean isFor(QuarantinedRecord record, String topic) {
    Destination destination = record.destination();
    return destination.topic().equals(topic) && destination.cluster().isEmpty();
  }

  /// Changes the topic. The row is read again behind this change, so that the record is produced to
  /// the topic that the row names.
  private void retarget(QuarantinedRecord record, String topic) {
    InFlightTask task = record.task();
    var destination = new Destination(topic, record.destination().headers());
    state.writeFor(
        task,
        new Change.Forward(
            task.key, task.id(), task.activation.origin(), task.status(), null, destination, task));
    state.quarantined.redirect(record, destination, state.now);
    QuarantinedRecord moved = state.quarantined.of(task);
    if (moved != null) {
      boolean _ = state.quarantined.release(moved);
    }
  }

  /// Deletes the task. Its id may come again: nothing with that id was produced.
  private void discard(QuarantinedRecord record) {
    InFlightTask task = record.task();
    state.event(
        EngineEvent.DISCARDED, task, "by an operator; destination " + record.destination().topic());
    completion.endQuarantine(task, task.status() == Status.FAILURE);
  }

  private static QuarantineAnswer.Task describe(QuarantinedRecord record) {
    InFlightTask task = record.task();
    Activation activation = task.activation;
    Destination destination = record.destination();
    return new QuarantineAnswer.Task(
        task.id(),
        activation.application(),
        activation.namespace(),
        activation.taskname(),
        task.status().storedName(),
        destination.topic(),
        destination.cluster(),
        record.reason(),
        record.size(),
        record.since(),
        activation.receivedAt());
  }
}
