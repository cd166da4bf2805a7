package io.taskbroker.simulation;

import com.google.protobuf.Duration;
import com.google.protobuf.MessageLite;
import io.grpc.Status;
import io.taskbroker.activation.Ids;
import io.taskbroker.grpc.SteppedServices;
import io.taskbroker.protocol.v1.DeleteScheduleRequest;
import io.taskbroker.protocol.v1.MissedSlots;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.PauseScheduleRequest;
import io.taskbroker.protocol.v1.ResumeScheduleRequest;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.RunScheduleNowRequest;
import io.taskbroker.protocol.v1.Schedule;
import io.taskbroker.protocol.v1.ScheduleState;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.protocol.v1.UpsertScheduleRequest;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Operators of schedules, over a network that loses requests and answers: each keeps a schedule,
/// and repeats each request at some broker of the store until it is answered.
final class ScheduleClients {
  private static final long TIMEOUT = 3 * SimulatedWorld.SECOND;
  private static final int MOST = 3;

  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final Ledger ledger;
  private final List<SimulatedBroker> brokers;
  private int unanswered;

  ScheduleClients(
      SimulatedWorld world, SeedPlan plan, Ledger ledger, List<SimulatedBroker> brokers) {
    this.world = world;
    this.plan = plan;
    this.ledger = ledger;
    this.brokers = brokers;
  }

  /// @param end when the faults end
  void start(long end) {
    int count = 1 + world.random.nextInt(MOST);
    for (int i = 0; i < count; i++) {
      var operator = new Operator("s" + i, end);
      world.after(world.between(0, 3 * SimulatedWorld.SECOND), "schedule", operator::put);
    }
  }

  /// Whether every request was answered.
  boolean isDone() {
    return unanswered == 0;
  }

  /// Operator of one schedule, who does one thing after the other.
  private final class Operator {
    private final String name;

    /// The broker that has it; brokers that share a store all have it.
    private final SimulatedBroker home;

    /// No slot from then on, so that the history ends; milliseconds since the epoch.
    private final long end;

    private Schedule schedule;
    private int runs;

    Operator(String name, long end) {
      this.name = name;
      this.home = brokers.get(world.random.nextInt(brokers.size()));
      this.end =
          SimulatedWorld.EPOCH
              + (end + world.between(0, 5 * SimulatedWorld.SECOND)) / SimulatedWorld.MS;
      this.schedule = schedule();
    }

    void put() {
      ledger.schedules.wants(home, schedule);
      ask(
          SteppedServices.UPSERT,
          UpsertScheduleRequest.newBuilder().setSchedule(schedule).build(),
          state -> state != null && state.getSchedule().equals(schedule),
          false);
    }

    /// Does something else, after a while.
    private void next() {
      if (!world.isQuiet()) {
        world.after(
            world.between(200 * SimulatedWorld.MS, 3 * SimulatedWorld.SECOND),
            "schedule",
            this::operate);
      }
    }

    private void operate() {
      if (world.happens(Fault.SCHEDULE_CHANGED)) {
        schedule = schedule();
        put();
      } else if (world.happens(Fault.SCHEDULE_PAUSED)) {
        ask(
            SteppedServices.PAUSE,
            PauseScheduleRequest.newBuilder().setName(name).build(),
            state -> state != null && state.getPaused(),
            true);
      } else if (world.happens(Fault.SCHEDULE_DELETED)) {
        ask(
            SteppedServices.DELETE,
            DeleteScheduleRequest.newBuilder().setName(name).build(),
            state -> state == null,
            false);
      } else if (world.happens(Fault.SCHEDULE_RUN)) {
        run();
      } else if (world.random.nextInt(3) == 0) {
        put(); // as it is, or again after it was deleted
      } else {
        ask(
            SteppedServices.RESUME,
            ResumeScheduleRequest.newBuilder().setName(name).build(),
            state -> state != null && !state.getPaused(),
            true);
      }
    }

    private void run() {
      boolean again = runs > 0 && world.random.nextInt(3) == 0;
      String key = "run " + (again ? runs : ++runs);
      String id = Ids.idempotent("schedule", name, key);
      ledger.schedules.wantsRun(name, id);
      ask(
          SteppedServices.RUN,
          RunScheduleNowRequest.newBuilder().setName(name).setIdempotencyKey(key).build(),
          state -> state != null,
          true);
    }

    private Schedule schedule() {
      long every = 1_000 + 250L * world.random.nextInt(20);
      Schedule.Builder next =
          Schedule.newBuilder()
              .setName(name)
              .setEvery(duration(every))
              .setPhase(duration(world.random.nextLong(every)))
              .setEnd(Story.time(end))
              .setMissed(MissedSlots.forNumber(1 + world.random.nextInt(3)))
              .setTask(task());
      if (next.getMissed() == MissedSlots.MISSED_SLOTS_ALL && world.random.nextBoolean()) {
        next.setMissedLimit(1 + world.random.nextInt(3));
      }
      if (world.random.nextInt(4) == 0) {
        next.setJitter(duration(1 + world.random.nextLong(every - 1)));
      }
      return next.build();
    }

    private Task task() {
      Task.Builder task =
          Task.newBuilder()
              .setApplication(Workers.APPLICATIONS.get(world.random.nextInt(2)))
              .setNamespace(world.random.nextBoolean() ? "ns" : "other")
              .setName(world.random.nextInt(4) == 0 ? "toil" : "work")
              .setDeadlineSeconds(1 + world.random.nextInt(4))
              .setRetry(
                  RetryPolicy.newBuilder()
                      .setMaxAttempts(world.random.nextInt(3))
                      .setAtMostOnce(world.random.nextInt(4) == 0)
                      .setOnFailure(OnFailure.ON_FAILURE_DISCARD));
      switch (world.random.nextInt(8)) {
        case 0 -> task.setDelaySeconds(1 + world.random.nextInt(15));
        case 1 -> task.setExpiresSeconds(1 + world.random.nextInt(8));
        default -> {}
      }
      return task.build();
    }

    private static Duration duration(long millis) {
      return Duration.newBuilder()
          .setSeconds(millis / 1_000)
          .setNanos((int) (millis % 1_000) * 1_000_000)
          .build();
    }

    /// @param state what the store must have had when it is answered
    /// @param absent whether it may be answered that there is no such schedule
    private void ask(
        String method,
        MessageLite message,
        Predicate<@Nullable ScheduleState> state,
        boolean absent) {
      unanswered++;
      new Request(this, method, message.toByteArray(), state, absent).send();
    }

    private SimulatedBroker anyBroker() {
      return plan.shared() ? brokers.get(world.random.nextInt(brokers.size())) : home;
    }
  }

  /// One request, repeated until it is answered.
  private final class Request {
    private final Operator operator;
    private final String method;
    private final byte[] message;
    private final Predicate<@Nullable ScheduleState> state;
    private final boolean absent;

    Request(
        Operator operator,
        String method,
        byte[] message,
        Predicate<@Nullable ScheduleState> state,
        boolean absent) {
      this.operator = operator;
      this.method = method;
      this.message = message;
      this.state = state;
      this.absent = absent;
    }

    void send() {
      SimulatedBroker broker = operator.anyBroker();
      SimulatedProcess process = broker.run();
      SimulatedServer server = process == null ? null : process.server();
      if (server == null) {
        again();
      } else {
        new Attempt(this, broker, server).begin();
      }
    }

    void again() {
      world.after(
          world.between(50 * SimulatedWorld.MS, SimulatedWorld.SECOND), "schedule", this::send);
    }

    void done() {
      unanswered--;
      operator.next();
    }
  }

  /// One call of a request.
  private final class Attempt implements Link.Peer {
    private final Request request;
    private final SimulatedBroker broker;
    private final Link link;
    private final long since = world.now();
    private boolean over;

    Attempt(Request request, SimulatedBroker broker, SimulatedServer server) {
      this.request = request;
      this.broker = broker;
      this.link = server.connect(request.method, this);
    }

    void begin() {
      link.send(request.message);
      link.halfClose();
      world.after(TIMEOUT, "call about a schedule times out", this::giveUp);
      if (world.happens(Fault.NETWORK_LOSES)) {
        world.after(world.between(0, 20 * SimulatedWorld.MS), "connection breaks", this::giveUp);
      }
    }

    private void giveUp() {
      if (!over) {
        over = true;
        link.cut(true);
        request.again();
      }
    }

    @Override
    public void message(byte[] bytes) {
      if (!over) {
        over = true;
        world.count("answers to " + request.method.substring(request.method.indexOf('/') + 1));
        ledger.schedules.answered(broker, request.operator.name, since, request.state);
        request.done();
      }
    }

    @Override
    public void closed(Status.@Nullable Code status) {
      if (over) {
        return;
      }
      over = true;
      switch (status) {
        case NOT_FOUND -> {
          Violation.check(request.absent, "G9", () -> request.method + " is answered NOT_FOUND");
          ledger.schedules.answered(broker, request.operator.name, since, state -> state == null);
          request.done();
        }
        case FAILED_PRECONDITION -> {
          Violation.check(
              request.method.equals(SteppedServices.RUN),
              "G9",
              () -> request.method + " is refused");
          request.done();
        }
        case UNAVAILABLE, RESOURCE_EXHAUSTED, CANCELLED, DEADLINE_EXCEEDED -> request.again();
        case null -> request.again();
        default -> Violation.check(false, "G9", () -> request.method + " ends with " + status);
      }
    }
  }
}
