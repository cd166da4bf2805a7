package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about workers that die of a task: which deaths are proven, as far as calls
/// and their results show, and how many of them make a task fail (G8).
final class DeathLedger {
  private final Ledger ledger;
  private final IdentityHashMap<Delivery, Call> calls = new IdentityHashMap<>();
  private final Map<WorkerGroup, Integer> accepted = new HashMap<>();

  /// The workers of an application, as seen by one process.
  private record WorkerGroup(SimulatedProcess process, String application) {}

  /// A pending call.
  private static final class Call {
    final WorkerGroup group;
    final BrokerHistory.Line line;
    boolean alone = true;

    Call(WorkerGroup group, BrokerHistory.Line line) {
      this.group = group;
      this.line = line;
    }
  }

  DeathLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A push call started.
  void called(SimulatedProcess process, Delivery delivery, BrokerHistory.Line line) {
    var call = new Call(new WorkerGroup(process, delivery.application()), line);
    for (Call other : calls.values()) {
      if (other.group.equals(call.group)) {
        other.alone = false;
        call.alone = false;
      }
    }
    calls.put(delivery, call);
  }

  /// The engine received the result of a call.
  void callEnded(SimulatedProcess process, Command.PushEnded pushed) {
    @Nullable Call call = calls.remove(pushed.delivery());
    if (call == null) {
      return;
    }
    BrokerHistory.Line line = call.line;
    int others = accepted.getOrDefault(call.group, 0);
    line.deathProven = false;
    if (pushed.outcome() == PushOutcome.ACCEPTED) {
      accepted.put(call.group, others + 1);
      line.lostIn = null;
    } else if (pushed.outcome() == PushOutcome.LOST) {
      boolean othersPass = process.equals(line.lostIn) && others != line.acceptedAtLoss;
      line.deathProven = call.alone && (othersPass || !othersWait(process, line));
      line.lostIn = process;
      line.acceptedAtLoss = others;
    }
  }

  /// Workers of the application took a task by a stream.
  void taken(SimulatedProcess process, String application) {
    accepted.merge(new WorkerGroup(process, application), 1, Integer::sum);
  }

  /// The worker that had a task from a stream was lost.
  void lost(SimulatedProcess process, BrokerHistory.Line line) {
    line.lostIn = process;
    line.acceptedAtLoss =
        accepted.getOrDefault(new WorkerGroup(process, line.spec.application()), 0);
  }

  /// Whether another ready task of the application has been waiting for long at this process.
  private boolean othersWait(SimulatedProcess process, BrokerHistory.Line line) {
    BrokerHistory history = ledger.history(process);
    long wall = process.broker.wall();
    return !ledger.plan.has(Fault.RULES_CHANGE)
        && history.lines.values().stream()
            .filter(other -> other.spec.application().equals(line.spec.application()))
            .filter(other ->
                other.home == null
                    ? process.owns(other.spec.origin())
                    : other.home == process.broker)
            .filter(
                other -> other.end == null && other.targetTopic == null && other.deliveries == 0)
            .filter(other -> !other.spec.once() && other.spec.delayUntil() == 0)
            .filter(other -> other.spec.expiresAt() > wall)
            .filter(other -> !history.reported.containsKey(other.spec.id()))
            .anyMatch(other -> other.insertedAt < ledger.world.now() - 2 * SimulatedWorld.SECOND);
  }

  /// The engine reported that a worker died of a task.
  void blamed(SimulatedProcess process, String id) {
    for (BrokerHistory.Line line : ledger.history(process).of(id)) {
      if (line.end == null) {
        check(
            line.deathProven, "G8", () -> process + " blames a task for an unproven death: " + id);
        line.deaths++;
      }
    }
  }

  /// A processing deadline of the task passed.
  void overdue(BrokerHistory.Line line) {
    line.deadlines++;
  }

  /// Whether workers died of it, or were lost with it, and its attempts are used up.
  boolean mayFail(BrokerHistory.Line line) {
    int deaths = line.deaths + line.losses;
    return deaths > 0 && deaths + line.deadlines >= SimulatedBroker.MAX_ATTEMPTS;
  }
}
