package io.taskbroker.simulation;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.Carried;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.PushOutcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Workers and the network between them and the brokers: slow, dying, lying, busy, down; reporting
/// late, twice or never. A report goes to the broker that the task came from.
final class Workers {
  static final List<String> APPLICATIONS = List.of("shop", "mail");

  private static final int MAX_RETRIES = 2;
  private static final int PULLERS = 3;

  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final Map<String, Long> downUntil = new HashMap<>();
  private final Set<String> reported = new HashSet<>();
  private final List<String> known = new ArrayList<>();
  final WorkerScript orders = new WorkerScript();
  private List<SimulatedBroker> brokers = List.of();

  Workers(SimulatedWorld world, SeedPlan plan) {
    this.world = world;
    this.plan = plan;
  }

  /// Sets the brokers that workers may report to, if brokers share a store.
  void reportTo(List<SimulatedBroker> all) {
    brokers = all;
  }

  private long network() {
    return world.between(
        SimulatedWorld.MS / 10, world.fault(20) ? 500 * SimulatedWorld.MS : 5 * SimulatedWorld.MS);
  }

  // Push.

  void push(SimulatedProcess process, Delivery delivery) {
    String application = delivery.application();
    if (world.happens(Fault.WORKER_DOWN)) {
      downUntil.put(application, world.now() + world.between(0, 5 * SimulatedWorld.SECOND));
    }
    PushOutcome ordered = orders.answer(delivery.id(), application);
    if (ordered != null) {
      answer(process, delivery, network(), ordered);
      return;
    }
    boolean down = !world.isQuiet() && downUntil.getOrDefault(application, 0L) > world.now();
    if (down) {
      answer(process, delivery, network(), PushOutcome.UNREACHABLE);
    } else if (world.happens(Fault.WORKER_BUSY)) {
      answer(process, delivery, network(), PushOutcome.BUSY);
    } else if (world.happens(Fault.WORKER_REFUSES)) {
      answer(process, delivery, network(), PushOutcome.REFUSED);
    } else if (world.happens(Fault.NETWORK_LOSES)) {
      answer(process, delivery, world.between(0, 2 * SimulatedWorld.SECOND), PushOutcome.LOST);
      if (world.random.nextBoolean()) {
        world.after(network(), "task arrives", () -> execute(process, delivery, false));
      }
    } else {
      long there = network();
      world.after(there, "task arrives", () -> execute(process, delivery, true));
      answer(process, delivery, there + network(), PushOutcome.ACCEPTED);
    }
  }

  /// If one worker is busy or lost, there may be others.
  private void answer(
      SimulatedProcess process, Delivery delivery, long after, PushOutcome outcome) {
    boolean others =
        (outcome == PushOutcome.BUSY || outcome == PushOutcome.LOST) && world.random.nextBoolean();
    process.later(
        after,
        "push answer",
        () -> process.receivePushResult(new Command.PushEnded(delivery, outcome, "", others)));
  }

  // Pull.

  void pull(SimulatedBroker broker) {
    for (int i = 0; i < PULLERS; i++) {
      world.after(network(), "claim", () -> claim(broker));
    }
  }

  private void claim(SimulatedBroker broker) {
    SimulatedProcess process = broker.run();
    if (process == null || world.happens(Fault.WORKER_DOWN)) {
      world.after(
          world.between(50 * SimulatedWorld.MS, SimulatedWorld.SECOND),
          "claim",
          () -> claim(broker));
      return;
    }
    boolean any = world.random.nextInt(3) > 0;
    String application = any ? null : APPLICATIONS.get(world.random.nextInt(2));
    String namespace = application == null || world.random.nextBoolean() ? null : "ns";
    var answer = new Claim(broker, process);
    process.later(
        network(),
        "claim arrives",
        () -> process.receiveRequest(new Command.Claim(application, namespace, answer)));
    world.after(2 * SimulatedWorld.SECOND, "claim times out", answer::giveUp);
  }

  /// A worker that waits for a task.
  private final class Claim implements Command.ClaimReply {
    private final SimulatedBroker broker;
    private final SimulatedProcess process;
    private boolean over;

    Claim(SimulatedBroker broker, SimulatedProcess process) {
      this.broker = broker;
      this.process = process;
    }

    @Override
    public void done(@Nullable Delivery delivery) {
      if (delivery != null) {
        process.broker.ledger.workers.delivered(process, delivery, true);
      }
      boolean lost = world.happens(Fault.NETWORK_LOSES);
      world.after(
          network(),
          "claim answered",
          () -> {
            if (over || lost) {
              return;
            }
            over = true;
            if (delivery == null) {
              again(world.between(10 * SimulatedWorld.MS, 300 * SimulatedWorld.MS));
            } else {
              execute(process, delivery, true);
              again(world.between(SimulatedWorld.MS, 100 * SimulatedWorld.MS));
            }
          });
    }

    @Override
    public void unavailable(String why) {
      if (!over) {
        over = true;
        again(world.between(50 * SimulatedWorld.MS, 500 * SimulatedWorld.MS));
      }
    }

    @Override
    public boolean isGone() {
      return over;
    }

    void giveUp() {
      if (!over) {
        over = true;
        again(0);
      }
    }

    private void again(long nanos) {
      world.after(nanos, "claim", () -> claim(broker));
    }
  }

  // Both.

  /// @param sure whether the broker knows that a worker has it
  private void execute(SimulatedProcess process, Delivery delivery, boolean sure) {
    Spec spec = Spec.of(Carried.by(delivery).origin(), delivery.payload());
    world.count("executions");
    world.trace(() -> "a worker runs " + delivery.id());
    known.add(delivery.id());
    WorkerScript.Act ordered = orders.begin(delivery.id());
    if (world.happens(Fault.WORKER_DIES) || (ordered != null && ordered.takes() < 0)) {
      return;
    }
    long takes =
        world.happens(Fault.WORKER_SLOW)
            ? world.between(0, 2 * spec.deadline() * SimulatedWorld.MS + SimulatedWorld.SECOND)
            : world.between(SimulatedWorld.MS, 200 * SimulatedWorld.MS);
    Status status = Status.COMPLETE;
    if (ordered != null) {
      takes = ordered.takes();
      status = ordered.status();
    }
    if (world.happens(Fault.WORKER_RETRIES) && spec.attempts() < MAX_RETRIES) {
      status = Status.RETRY;
    } else if (world.happens(Fault.WORKER_FAILS)) {
      status = Status.FAILURE;
    }
    List<Command.Update> updates = new ArrayList<>();
    updates.add(update(delivery.id(), status));
    boolean first = reported.add(process.broker.name + " " + Carried.keyOf(delivery));
    boolean prompt = takes < Math.min(spec.deadline(), 1_000) * SimulatedWorld.MS / 2;
    boolean strict = sure && first && prompt && delivery.deliveries() == 1;
    if (world.happens(Fault.WORKER_LIES)) {
      sendFalseReports(updates, delivery);
      strict = false;
    }
    var report =
        new Report(
            process,
            updates,
            strict ? Carried.keyOf(delivery) : Row.NONE,
            world.now() + spec.deadline() * SimulatedWorld.MS / 2);
    world.after(takes, "task done", report::send);
    if (world.happens(Fault.WORKER_REPEATS)) {
      var again = new Report(process, updates, Row.NONE, 0);
      world.after(
          takes + world.between(0, 5 * SimulatedWorld.SECOND), "report repeated", again::send);
    }
  }

  /// Sends a report, repeated until it is acknowledged.
  void report(SimulatedProcess process, String id, Status status) {
    new Report(process, List.of(update(id, status)), Row.NONE, 0).send();
  }

  private Command.Update update(String id, Status status) {
    return new Command.Update(
        id,
        status,
        status == Status.RETRY ? world.random.nextInt(5) - 1 : -1,
        status == Status.RETRY ? world.random.nextInt(4) - 1 : -1);
  }

  private void sendFalseReports(List<Command.Update> updates, Delivery delivery) {
    switch (world.random.nextInt(3)) {
      case 0 -> updates.add(update("nobody-knows-this", Status.COMPLETE));
      case 1 -> updates.add(update(delivery.id(), Status.FAILURE));
      default -> {
        String other = known.get(world.random.nextInt(known.size()));
        updates.add(update(other, Status.COMPLETE));
      }
    }
  }

  /// Reply to a claim that comes with a report; never used.
  private static final class UnusedClaimReply implements Command.ClaimReply {
    @Override
    public void done(@Nullable Delivery delivery) {
      throw new AssertionError("The report carries no claim");
    }

    @Override
    public void unavailable(String why) {
      throw new AssertionError("The report carries no claim");
    }
  }

  /// One report, repeated until it is acknowledged.
  private final class Report {
    private final SimulatedProcess of;
    private final SimulatedBroker broker;
    private final List<Command.Update> updates;
    private final long strict;
    private final long strictUntil;
    private boolean arrived;
    private boolean answered;
    private int tries;

    Report(SimulatedProcess of, List<Command.Update> updates, long strict, long strictUntil) {
      this.of = of;
      this.broker = of.broker;
      this.updates = List.copyOf(updates);
      this.strict = strict;
      this.strictUntil = strictUntil;
    }

    void send() {
      boolean givesUp = !orders.isPatient() && tries > 3 && world.fault(4);
      if (answered || givesUp) {
        return;
      }
      tries++;
      SimulatedProcess process = receiver().run();
      if (process == null || world.happens(Fault.NETWORK_LOSES)) {
        again(world.between(100 * SimulatedWorld.MS, SimulatedWorld.SECOND));
        return;
      }
      process.later(network(), "report arrives", () -> arrive(process));
      int attempt = tries;
      world.after(3 * SimulatedWorld.SECOND, "report times out", () -> sendAfter(attempt));
    }

    /// The broker that the task came from, or any that shares its store.
    private SimulatedBroker receiver() {
      return plan.shared() && world.random.nextBoolean()
          ? brokers.get(world.random.nextInt(brokers.size()))
          : broker;
    }

    private void arrive(SimulatedProcess process) {
      broker.ledger.workers.reported(process, updates);
      long since = world.now();
      int attempt = tries;
      boolean first = !arrived;
      arrived = true;
      boolean wantsMore = !plan.push() && world.random.nextBoolean();
      process.receiveRequest(
          new Command.Report(
              updates,
              wantsMore ? new Command.Claim(null, null, new UnusedClaimReply()) : null,
              new Command.ReportReply() {
                @Override
                public void done(@Nullable Delivery next) {
                  // Includes deliveries of an earlier process of the broker (G2).
                  boolean mustCount = process == of ? attempt == 1 : first;
                  boolean counts = mustCount && world.now() < strictUntil;
                  broker.ledger.workers.answered(
                      process, updates, since, counts ? strict : Row.NONE);
                  if (next != null) {
                    broker.ledger.workers.delivered(process, next, true);
                  }
                  if (!world.happens(Fault.NETWORK_LOSES)) {
                    world.after(
                        network(),
                        "report answered",
                        () -> {
                          answered = true;
                          if (next != null) {
                            execute(process, next, true);
                          }
                        });
                  }
                }

                @Override
                public void unavailable(String why) {
                  again(world.between(50 * SimulatedWorld.MS, SimulatedWorld.SECOND));
                }
              }));
    }

    private void again(long nanos) {
      int attempt = tries;
      world.after(nanos, "report again", () -> sendAfter(attempt));
    }

    /// Repeats the report, unless a later attempt did already.
    private void sendAfter(int attempt) {
      if (attempt == tries) {
        send();
      }
    }
  }
}
