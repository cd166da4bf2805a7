package io.taskbroker.simulation;

import static io.taskbroker.simulation.Violation.check;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.PushOutcome;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The part of the ledger that is about workers that die of a task: which deaths are proven, as far
/// as calls and their answers tell, and how many of them make a task fail (G8).
final class DeathLedger {
  private final Ledger ledger;
  private final IdentityHashMap<Delivery, Call> calls = new IdentityHashMap<>();
  private final Map<Lane, Integer> taken = new HashMap<>();

  /// The workers of an application, as one life of a broker knows them.
  private record Lane(BrokerRun run, String application) {}

  /// A call that is under way.
  private static final class Call {
    final Lane lane;
    final BrokerHistory.Line line;
    boolean alone = true;

    Call(Lane lane, BrokerHistory.Line line) {
      this.lane = lane;
      this.line = line;
    }
  }

  DeathLedger(Ledger ledger) {
    this.ledger = ledger;
  }

  /// A worker is called.
  void called(BrokerRun run, Delivery delivery, BrokerHistory.Line line) {
    var call = new Call(new Lane(run, delivery.application()), line);
    for (Call other : calls.values()) {
      if (other.lane.equals(call.lane)) {
        other.alone = false;
        call.alone = false;
      }
    }
    calls.put(delivery, call);
  }

  /// The engine hears how a call ended.
  void ended(BrokerRun run, Command.PushEnded pushed) {
    @Nullable Call call = calls.remove(pushed.delivery());
    if (call == null) {
      return;
    }
    BrokerHistory.Line line = call.line;
    int others = taken.getOrDefault(call.lane, 0);
    line.deathProven = false;
    if (pushed.outcome() == PushOutcome.ACCEPTED) {
      taken.put(call.lane, others + 1);
      line.lostIn = null;
    } else if (pushed.outcome() == PushOutcome.LOST) {
      boolean othersPass = run.equals(line.lostIn) && others != line.takenAtLoss;
      line.deathProven = call.alone && (othersPass || !othersWait(run, line));
      line.lostIn = run;
      line.takenAtLoss = others;
    }
  }

  /// Whether another task of the application has been there for long, and could run.
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

  /// The engine says that a worker died of a task.
  void blamed(BrokerRun run, String id) {
    for (BrokerHistory.Line line : ledger.book(run).of(id)) {
      if (line.end == null) {
        check(
            line.deathProven,
            "G8",
            () -> run + " blames a task for a death that nothing proves: " + id);
        line.deaths++;
      }
    }
  }

  /// A deadline of the task passed.
  void overdue(BrokerHistory.Line line) {
    line.deadlines++;
  }

  /// Whether workers died of it, and that was the last of its attempts.
  boolean mayFail(BrokerHistory.Line line) {
    return line.deaths > 0 && line.deaths + line.deadlines >= SimulatedBroker.MAX_ATTEMPTS;
  }
}
