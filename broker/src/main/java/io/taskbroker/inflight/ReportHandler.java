package io.taskbroker.inflight;

import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskLifecycle;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// Handler of worker reports. A late report is not an error (G6); the answer waits until all
/// effects of the report are durable (G2). Not thread-safe.
final class ReportHandler {
  private final EngineState state;
  private final TaskCompletion completion;
  private final Dispatcher dispatcher;
  private final RemoteReports remoteReports;
  private final ParkedReports parked;

  ReportHandler(
      EngineState state,
      TaskCompletion completion,
      Dispatcher dispatcher,
      RemoteReports remoteReports,
      ParkedReports parked) {
    this.state = state;
    this.completion = completion;
    this.dispatcher = dispatcher;
    this.remoteReports = remoteReports;
    this.parked = parked;
  }

  void handle(Command.Report report) {
    var reply = new Reply(report);
    for (Command.Update update : report.updates()) {
      handle(update, reply);
    }
    state.settled.addLast(reply);
  }

  void handle(Command.Update update, Reply reply) {
    if (state.options.shared() && state.unknownFires.has(update.id())) {
      // No worker has the task from here: the report is about that of the broker that was first.
      forward(update, reply);
      return;
    }
    InFlightTask task = state.tasks.get(update.id());
    if (task == null) {
      handleAbsent(update, reply);
    } else {
      handle(task, update, reply);
    }
  }

  /// @param reply null if nobody waits for the answer
  void handle(InFlightTask task, Command.Update update, @Nullable Reply reply) {
    state.recorder.reported(task, update.status(), state.wall);
    if (state.follows) {
      state.follow(TaskLifecycle.REPORTED, task.activation, update.described());
    }
    if (isOfAnotherDelivery(task, update.token())) {
      stale(task, update.status(), reply);
      return;
    }
    if (task.status() == Status.PROCESSING) {
      workerFreed(task.queue);
    }
    if (task.step() == Step.DELETING) {
      await(task, reply);
    } else if (update.status() == Status.COMPLETE) {
      traceReport(task, update);
      complete(task, reply);
    } else if (task.isForwarding()) {
      if (task.step() == Step.FORWARDING) {
        await(task, reply);
      }
    } else if (isPlausible(task)) {
      traceReport(task, update);
      await(task, reply);
      if (update.status() == Status.RETRY && !task.cancelled) {
        completion.retry(task, update.maxAttempts(), update.delayOnRetry());
      } else {
        completion.fail(task, "its worker reported a failure");
      }
    } else {
      stale(task, update.status(), reply);
    }
  }

  private void traceReport(InFlightTask task, Command.Update update) {
    if (state.spans != null && task.step() != Step.PRODUCING) {
      state.spans.reported(task, update.status().storedName().toLowerCase(Locale.ROOT), "");
    }
  }

  private void workerFreed(ApplicationQueue queue) {
    if (queue.push != null) {
      queue.push.workerFreed(state.now);
    }
  }

  /// Whether a worker may have run the activation: a worker has it, or it waits to run again and no
  /// other worker has it.
  static boolean isPlausible(InFlightTask task) {
    return task.step() == Step.STORED && (task.status().isHandedOut() || task.mayHaveRun);
  }

  /// Whether the report has a token, and not that of the task's last delivery. Tokens are not
  /// stored: those of earlier processes and other brokers count until this process delivers the
  /// task, or a worker names it by a later one.
  boolean isOfAnotherDelivery(InFlightTask task, @Nullable AttemptToken token) {
    if (token == null || state.isLastDelivery(task, token)) {
      return false;
    }
    return task.attempt != 0
        || !(state.isInherited(task.key) || isPlausible(task))
        || (task.named != null && token.compareTo(task.named) < 0);
  }

  /// Lets the answer of a report that has no effect wait until what overrules it is durable (G2):
  /// the next attempt, or the end.
  static void awaitDecision(InFlightTask task, @Nullable Reply reply) {
    Step step = task.step();
    if (step == Step.INSERTING || step == Step.FORWARDING || step == Step.DELETING) {
      await(task, reply);
    }
  }

  private static void await(InFlightTask task, @Nullable Reply reply) {
    if (reply != null) {
      task.await(reply);
    }
  }

  /// A Complete wins until the outbox has started to produce something else (H18).
  private void complete(InFlightTask task, @Nullable Reply reply) {
    switch (task.step()) {
      case PRODUCING -> stale(task, Status.COMPLETE, reply);
      case QUARANTINED -> {
        task.end = TaskEnd.COMPLETED;
        state.event(EngineEvent.COMPLETED, task, "");
        state.follow(TaskLifecycle.COMPLETED, task.activation, "");
        await(task, reply);
        completion.endQuarantine(task, false);
      }
      case INSERTING, STORED, WRITING_STATUS, FORWARDING, DELETING -> {
        task.end = TaskEnd.COMPLETED;
        state.event(EngineEvent.COMPLETED, task, "");
        state.follow(TaskLifecycle.COMPLETED, task.activation, "");
        await(task, reply);
        completion.complete(task);
      }
      case GONE ->
          throw new IllegalStateException("Activation " + task.id() + " is indexed, but gone");
    }
  }

  /// Handles a report on an id that is not in memory. A late Complete ends a parked row, too; any
  /// other report depends on whether a worker may have run it.
  private void handleAbsent(Command.Update update, Reply reply) {
    if (state.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(update.id());
      PartitionKey partitionKey = state.parked.find(id);
      if (partitionKey != null) {
        long key = state.parked.key(id, partitionKey);
        if (update.token() != null && !state.isInherited(key)) {
          stale(update);
        } else if (update.status() == Status.COMPLETE) {
          completeParked(id, partitionKey, update.id()).await(reply);
        } else if (!parked.add(key, update, reply)) {
          stale(update);
        }
        return;
      }
    }
    forward(update, reply);
  }

  /// Handles a report on an id that this broker has neither in memory nor parked. One with a token
  /// is not forwarded: the owner would get it without, and could not refuse it.
  private void forward(Command.Update update, Reply reply) {
    if (state.options.shared() && update.token() == null) {
      remoteReports.forward(update, reply);
      return;
    }
    reply.report.reply().unknown();
    state.event(EngineEvent.UNKNOWN_ID, update.id(), update.status().storedName());
  }

  private InFlightTask completeParked(Fingerprint id, PartitionKey partitionKey, String name) {
    InFlightTask removed = completion.removeParked(id, partitionKey, name, TaskEnd.COMPLETED);
    state.event(EngineEvent.COMPLETED, removed, "");
    return removed;
  }

  /// Handles the reports that parked rows were read for; a row that no worker can have run stays
  /// parked.
  void parkedRead(Command.RowsRead answer) {
    for (ParkedReports.Question question : parked.read(answer)) {
      Command.Update update = question.update();
      Reply reply = question.reply();
      InFlightTask task = state.tasks.get(update.id());
      if (task != null && (reply != null || task.key == question.key())) {
        handle(task, update, reply);
      } else if (state.parked.has(Ids.fingerprint(update.id()))) {
        stale(update);
      } else if (reply != null) {
        forward(update, reply);
      }
      if (reply != null) {
        state.settled.addLast(reply);
      }
    }
  }

  /// Handles reports that other brokers received on rows that this broker has or had (H3). Nobody
  /// waits for an answer.
  void recorded(List<RemoteReport> reports) {
    for (RemoteReport report : reports) {
      var update =
          new Command.Update(
              report.id(), report.status(), report.maxAttempts(), report.delayOnRetry());
      InFlightTask task = state.tasks.get(report.id());
      if (task != null && task.key == report.key()) {
        handle(task, update, null);
      } else {
        recordedElsewhere(report, update);
      }
    }
  }

  /// Handles a recorded report on a row that waits for another task of its id, or that is parked.
  private void recordedElsewhere(RemoteReport report, Command.Update update) {
    boolean complete = report.status() == Status.COMPLETE;
    InFlightTask duplicate = state.duplicateIds.find(report.id(), report.key());
    if (duplicate != null) {
      if (complete && duplicate.step() == Step.STORED) {
        complete(duplicate, null);
      }
    } else if (state.parked.size() > 0) {
      Fingerprint id = Ids.fingerprint(report.id());
      PartitionKey partitionKey = state.parked.find(id, report.key());
      if (partitionKey != null && complete) {
        var _ = completeParked(id, partitionKey, report.id());
      } else if (partitionKey != null) {
        var _ = parked.add(report.key(), update, null);
      }
    }
  }

  private void stale(Command.Update update) {
    state.event(EngineEvent.STALE_REPORT, update.id(), update.status().storedName());
  }

  private void stale(InFlightTask task, Status reported, @Nullable Reply reply) {
    awaitDecision(task, reply);
    state.event(EngineEvent.STALE_REPORT, task.activation, reported.storedName());
  }

  /// Answers the reports whose effects are all durable.
  void answer() {
    Reply reply = state.settled.pollFirst();
    while (reply != null) {
      if (reply.settle()) {
        Command.Claim next = reply.report.next();
        if (next == null) {
          reply.report.reply().done(null);
        } else {
          dispatcher.claim(
              next.application(), next.namespace(), PullChannel.of(reply.report.reply()));
        }
      }
      reply = state.settled.pollFirst();
    }
  }
}
