package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Part of the ledger about workers that die of a task: which deaths are proven, as far as calls
/// and their results show, and how many of them make a task fail (G8).
final class DeathLedger {
  private final Ledger ledger;
  private final Map<Delivery, Call> calls = new IdentityHashMap<>();
  private final Map<WorkerGroup, Integer> taken = new HashMap<>();

  /// The workers of an application, as seen by one process.
  private record WorkerGroup(BrokerRun run, String application) {}

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
  void called(BrokerRun run, Delivery delivery, BrokerHistory.Line line) {
    var call = new Call(new WorkerGroup(run, delivery.application()), line);
    for (Call other : calls.values()) {
      if (other.group.equals(call.group)) {
        other.alone = false;
        call.alone = false;
      }
    }
    calls.put(delivery, call);
  }

  /// The engine received the result of a call.
  void ended(BrokerRun run, Command.PushEnded pushed) {
    @Nullable Call call = calls.remove(pushed.delivery());
    if (call == null) {
      return;
    }
    BrokerHistory.Line line = call.line;
    int others = taken.getOrDefault(call.group, 0);
    line.deathProven = false;
    if (pushed.outcome() == PushOutcome.ACCEPTED) {
      taken.put(call.group, others + 1);
      line.lostIn = null;
    } else if (pushed.outcome() == PushOutcome.LOST) {
      boolean othersPass = run.equals(line.lostIn) && others != line.takenAtLoss;
      line.deathProven = call.alone && (othersPass || !othersWait(run, line));
      line.lostIn = run;
      line.takenAtLoss = others;
    }
  }

  /// Whether another ready task of the application has been waiting for long.
  private boolean othersWait(BrokerRun run, BrokerHistory.Line line) {
    BrokerHistory book = ledger.book(run);
    long wall = run.broker.wall();
    return !ledger.plan.has(Fault.RULES_CHANGE)
        && book.lines.values().stream()
            .filter(other -> other.spec.application().equals(line.spec.application()))
            .filter(other -> other.end == null && other.leavesFor == null && other.handOuts == 0)
            .filter(other -> !other.spec.once() && other.spec.delayUntil() == 0)
            .filter(other -> other.spec.expiresAt() > wall)
            .filter(other -> !book.reported.containsKey(other.spec.id()))
            .anyMatch(other -> other.insertedAt < ledger.world.now() - 2 * SimulatedWorld.SECOND);
  }

  /// The engine reported that a worker died of a task.
  void blamed(BrokerRun run, String id) {
    for (BrokerHistory.Line line : ledger.book(run).of(id)) {
      if (line.end == null) {
        check(
            line.deathProven,
            "G8",
            () -> run + " blames a task for an unproven death: " + id);
        line.deaths++;
      }
    }
  }

  /// A processing deadline of the task passed.
  void overdue(BrokerHistory.Line line) {
    line.deadlines++;
  }

  /// Whether workers died of it and its attempts are used up.
  boolean mayFail(BrokerHistory.Line line) {
    return line.deaths > 0 && line.deaths + line.deadlines >= SimulatedBroker.MAX_ATTEMPTS;
  }
}
