package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;
import static io.taskbroker.simulation.Violation.present;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about clients that enqueue tasks directly: what they want, what the broker
/// stores and answers, retries in the store, and cancellations (G1, G2, G4).
final class EnqueueLedger {
  private static final int DEFAULT_REMEMBER_SECONDS = 120;

  private final Ledger ledger;

  /// Tasks that clients enqueue, by broker and id: an operator who repeats that a schedule runs now
  /// names another time each, and the first of them to arrive counts.
  private final Map<String, List<NewTask>> wanted = new HashMap<>();

  /// Number of requests to cancel a task that are not answered, by broker and id.
  private final Map<String, Integer> open = new HashMap<>();

  /// A request to cancel a task.
  ///
  /// @param before rows of that id that had not ended when it arrived
  record Cancel(SimulatedProcess process, String id, List<BrokerHistory.Line> before) {}

  EnqueueLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A client is about to enqueue a task at a broker.
  ///
  /// @param id of the task, by its key if it has one
  void wants(SimulatedBroker broker, String id, NewTask task) {
    List<NewTask> tasks = wanted.computeIfAbsent(broker.name + " " + id, _ -> new ArrayList<>());
    if (!tasks.contains(task)) {
      tasks.addLast(task);
    }
  }

  private @Nullable NewTask wanted(SimulatedProcess process, String id) {
    return wanted(process.broker, id);
  }

  private @Nullable NewTask wanted(SimulatedBroker broker, String id) {
    List<NewTask> tasks = wanted.get(broker.name + " " + id);
    return tasks == null ? null : tasks.getLast();
  }

  /// For how long its id is remembered, milliseconds.
  static long remembered(NewTask task) {
    boolean named = !task.getTask().getId().isEmpty() || !task.getIdempotencyKey().isEmpty();
    long seconds =
        task.hasRememberSeconds()
            ? task.getRememberSeconds()
            : named ? DEFAULT_REMEMBER_SECONDS : 0;
    return seconds * 1_000;
  }

  /// A request reached the process.
  void arrived(SimulatedProcess process, List<Activation> activations) {
    for (Activation each : activations) {
      check(
          wanted(process, each.id()) != null,
          "G1",
          () -> process + " reads a task that nobody enqueues: " + each.id());
      ledger.world.trace(() -> process + " receives an enqueue of " + each.id());
    }
  }

  /// The task of a row that becomes durable.
  Spec inserted(SimulatedProcess process, BrokerHistory history, Row row) {
    String id = row.activation().id();
    var origin = new Origin("enqueued at " + process.broker.name, -1, row.key());
    if (id.startsWith("undecodable")) {
      check(ledger.plan.has(Fault.STORE_REFUSES), "G1", () -> process + " cannot read its own row");
      return Spec.of(origin, new byte[0]); // what the store refused: its client is told
    }
    List<NewTask> tasks = wanted.getOrDefault(process.broker.name + " " + id, List.of());
    check(!tasks.isEmpty(), "G1", () -> process + " stores what nobody enqueued: " + id);
    byte[] payload = row.activation().payload();
    check(
        tasks.stream().anyMatch(task -> isBeginning(task.getTask().toByteArray(), payload)),
        "G1",
        () -> "bytes differ from those of the client: " + id);
    for (BrokerHistory.Line other : history.of(id)) {
      check(
          other.end != null || other.home != process.broker,
          "G4",
          () -> process + " stores a second task of " + id);
    }
    ledger.world.count("tasks enqueued");
    return Spec.enqueued(origin, payload);
  }

  private static boolean isBeginning(byte[] sent, byte[] payload) {
    return payload.length >= sent.length
        && Arrays.equals(sent, 0, sent.length, payload, 0, sent.length);
  }

  /// Whether a client waits for the end of such a task, which it wants cancelled.
  boolean isCancelWanted(SimulatedBroker home, String id) {
    return open.getOrDefault(home.name + " " + id, 0) > 0;
  }

  /// Another attempt of a task became durable.
  void retried(SimulatedProcess process, BrokerHistory.Line line, Change.Retry retry) {
    Spec before = line.spec;
    Activation activation = retry.row().activation();
    Spec next = Spec.enqueued(before.origin(), activation.payload());
    // A report names an id: one that arrived before the row was durable counts for it, too.
    List<StreamLedger.Failure> failures =
        ledger.history(process).of(before.id()).stream()
            .filter(other -> other.home == line.home)
            .flatMap(other -> other.failures.stream())
            .toList();
    check(!failures.isEmpty(), "G4", () -> process + " retries without a failure: " + before.id());
    check(line.home != null, "G4", () -> "a retry of a task from Kafka: " + before.id());
    check(
        next.attempts() == before.attempts() + 1,
        "G4",
        () -> "attempt " + next.attempts() + " follows " + before.attempts() + " of " + next.id());
    long until = activation.delayUntil();
    boolean inTime =
        failures.stream()
            .anyMatch(failure ->
                until == 0
                    ? failure.least() <= 0
                    : until >= failure.wall() + failure.least()
                        && until <= process.broker.wall() + failure.most() + 2);
    check(
        inTime || ledger.plan.has(Fault.CLOCK_STEP),
        "G5",
        () -> "a retry of %s at %d, not as %s".formatted(next.id(), until, failures));
    line.retried(next.delayedUntil(activation.delayUntil()));
    ledger.workers.sends.remove(line.reading);
    ledger.world.count("retries in the store");
  }

  /// The engine answers an enqueue that arrived at `since`.
  void answered(
      SimulatedProcess process, List<Activation> tasks, List<EnqueueOutcome> outcomes, long since) {
    for (int i = 0; i < outcomes.size(); i++) {
      String id = tasks.get(i).id();
      EnqueueOutcome outcome = outcomes.get(i);
      ledger.world.trace(() -> process + " answers " + outcome + " to " + id);
      ledger.world.count("enqueues answered " + outcome);
      check(
          isTrue(process, id, outcome, since),
          "G2",
          () -> process + " answers " + outcome + " to the enqueue of " + id);
    }
  }

  private boolean isTrue(SimulatedProcess process, String id, EnqueueOutcome outcome, long since) {
    BrokerHistory history = ledger.history(process);
    return switch (outcome) {
      case ACCEPTED ->
          history.of(id).stream()
              .anyMatch(line -> line.home == process.broker && line.insertedAt >= since);
      case ALREADY_EXISTS ->
          isRemembered(process, history, id)
              || history.of(id).stream()
                  .anyMatch(line ->
                      line.home == process.broker && (line.end == null || line.endedAt >= since));
      case UNSTORABLE -> ledger.plan.has(Fault.STORE_REFUSES);
      case FULL -> true;
      case SWITCHED_OFF -> {
        Spec spec = spec(process, id);
        yield history.wasRuled(since, rules -> rules.kills(spec));
      }
      case EXPIRED -> history.latestWall >= spec(process, id).expiresAt();
      case SUPERSEDED -> ledger.schedules.isSuperseded(process, id);
    };
  }

  /// Whether its id must be remembered when it has ended.
  boolean isRemembered(BrokerHistory.Line line) {
    SimulatedBroker home = line.home;
    NewTask task = home == null ? null : wanted(home, line.spec.id());
    return task != null && remembered(task) > 0;
  }

  /// The id of an ended task is remembered until then, in milliseconds.
  void forgotten(SimulatedProcess process, BrokerHistory.Line line, long until) {
    NewTask task = present(wanted(process, line.spec.id()), "G1", () -> "nobody enqueued it");
    long touched =
        process.broker.wall()
            - Math.ceilDiv(
                ledger.world.now() - Math.max(line.insertedAt, line.lastDelivery),
                SimulatedWorld.MS);
    check(
        ledger.plan.has(Fault.CLOCK_STEP)
            || line.lastDelivery == 0 // it may have ended long before its insert was durable
            || until >= touched - 1 + remembered(task), // milliseconds begun count
        "G4",
        () -> process + " remembers too shortly: " + line.spec.id());
  }

  private boolean isRemembered(SimulatedProcess process, BrokerHistory history, String id) {
    Long until = history.forbidden.get(forbidden(process.broker, id));
    return until != null
        && (ledger.plan.has(Fault.CLOCK_STEP) || until >= process.broker.wall() - 1_000);
  }

  /// Key of an id in [BrokerHistory#forbidden].
  String forbidden(SimulatedBroker home, String id) {
    return ledger.plan.shared() ? id + "@member " + home.name : id;
  }

  /// What a client enqueues, as far as rules and expiry go by it.
  private Spec spec(SimulatedProcess process, String id) {
    NewTask task = present(wanted(process, id), "G1", () -> "nobody enqueued " + id);
    return Spec.enqueued(
        new Origin("", -1, 0), task.getTask().toBuilder().setId(id).build().toByteArray());
  }

  /// A client's request to cancel a task reached the process.
  Cancel cancelWanted(SimulatedProcess process, String id) {
    List<BrokerHistory.Line> before =
        ledger.history(process).of(id).stream()
            .filter(line -> line.home == process.broker && line.end == null)
            .toList();
    before.forEach(line -> line.cancelWanted = true);
    open.merge(process.broker.name + " " + id, 1, Integer::sum);
    return new Cancel(process, id, before);
  }

  void cancelAnswered(Cancel cancel, TaskQuery.@Nullable View view) {
    SimulatedProcess process = cancel.process;
    open.merge(process.broker.name + " " + cancel.id, -1, Integer::sum);
    ledger.world.trace(() ->
        process + " answers " + (view == null ? null : view.phase()) + " to cancel " + cancel.id);
    ledger.world.count("cancellations answered " + (view == null ? "NOT_FOUND" : view.phase()));
    for (BrokerHistory.Line line : cancel.before) {
      boolean waits = line.end == null && line.targetTopic == null;
      if (view == null || view.phase() == TaskQuery.Phase.ENDED) {
        check(
            !waits,
            "G2",
            () -> process + " says that a task has ended which has not: " + cancel.id);
      } else if (view.phase() == TaskQuery.Phase.RUNNING && waits) {
        line.cancelledIn = process;
        ledger.streams.mustHear(process, line);
      }
    }
  }

  /// By which delay the policy lets an attempt follow, milliseconds: the least and the most.
  ///
  /// @param attempts number of attempts that failed
  static long[] delays(byte[] payload, int attempts) {
    RetryPolicy policy;
    try {
      policy = Task.parseFrom(payload).getRetry();
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new AssertionError(e);
    }
    long delay = policy.getDelayMs() > 0 ? policy.getDelayMs() : policy.getDelaySeconds() * 1_000;
    for (int i = 1; i < attempts && policy.getGrowthPercent() > 0; i++) {
      delay = delay * policy.getGrowthPercent() / 100;
    }
    long most = policy.getMaxDelayMs() > 0 ? Math.min(delay, policy.getMaxDelayMs()) : delay;
    return new long[] {most * (100 - policy.getJitterPercent()) / 100 - 1, most};
  }
}
