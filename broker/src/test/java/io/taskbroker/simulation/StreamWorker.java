package io.taskbroker.simulation;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import io.taskbroker.grpc.SteppedServices;
import io.taskbroker.protocol.v1.AttemptToken;
import io.taskbroker.protocol.v1.BrokerMessage;
import io.taskbroker.protocol.v1.Cancellation;
import io.taskbroker.protocol.v1.Completed;
import io.taskbroker.protocol.v1.Delivery;
import io.taskbroker.protocol.v1.Failed;
import io.taskbroker.protocol.v1.Heartbeat;
import io.taskbroker.protocol.v1.Hello;
import io.taskbroker.protocol.v1.Released;
import io.taskbroker.protocol.v1.Result;
import io.taskbroker.protocol.v1.Results;
import io.taskbroker.protocol.v1.Slots;
import io.taskbroker.protocol.v1.TaskHeartbeat;
import io.taskbroker.protocol.v1.WorkerMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Worker of one application that opens streams to a broker, as docs/protocol.md describes it. Its
/// connection breaks, it stands still, it dies, and it does other things that workers do.
final class StreamWorker {
  private static final long TICK = 900 * SimulatedWorld.MS;

  /// For how long the broker may go by slots that the worker has lowered.
  private static final long SLOTS_TAKE_EFFECT = 3 * SimulatedWorld.SECOND;

  private final SimulatedWorld world;
  private final Ledger ledger;
  private final SimulatedBroker broker;
  private final String name;
  private final String application;
  private final boolean oneNamespace;

  /// Whether it names its tasks in each heartbeat.
  private final boolean namesTasks;

  private final Map<AttemptToken, Attempt> running = new LinkedHashMap<>();
  private final List<Result> unsent = new ArrayList<>();
  private @Nullable Stream stream;
  private int slots;

  /// Slots that the broker may still go by.
  private int permitted;

  private int slotsVersion;
  private boolean stopping;
  private boolean dead;
  private long standsStillUntil;

  private StreamWorker(SimulatedWorld world, Ledger ledger, SimulatedBroker broker, String name) {
    this.world = world;
    this.ledger = ledger;
    this.broker = broker;
    this.name = name;
    application = Workers.APPLICATIONS.get(world.random.nextInt(2));
    oneNamespace = world.random.nextInt(4) == 0;
    namesTasks = world.random.nextBoolean();
    slots = 1 + world.random.nextInt(5);
    permitted = slots;
  }

  /// Starts one to three workers of a broker.
  static void startSome(SimulatedWorld world, Ledger ledger, SimulatedBroker broker) {
    int count = 1 + world.random.nextInt(3);
    for (int i = 0; i < count; i++) {
      start(world, ledger, broker, "worker " + i + " of " + broker.name);
    }
  }

  private static void start(
      SimulatedWorld world, Ledger ledger, SimulatedBroker broker, String name) {
    var worker = new StreamWorker(world, ledger, broker, name);
    world.after(world.between(0, SimulatedWorld.SECOND), "worker", worker::connect);
    world.after(TICK, "worker", worker::tick);
  }

  /// An attempt that it has.
  private final class Attempt {
    final String id;
    final AttemptToken token;
    boolean cancelled;

    Attempt(Delivery delivery) {
      this.id = delivery.getTask().getId();
      this.token = delivery.getToken();
    }

    void ended(Result.Builder outcome) {
      if (running.remove(token, this) && !dead) {
        unsent.add(outcome.setId(id).setToken(token).build());
        act(StreamWorker.this::sendResults);
      }
    }
  }

  // What it does by itself.

  /// Does something now, or when it does not stand still any more.
  private void act(Runnable body) {
    if (dead) {
      return;
    }
    if (world.now() < standsStillUntil) {
      world.after(standsStillUntil - world.now(), "worker resumes", () -> act(body));
    } else {
      body.run();
    }
  }

  private void tick() {
    if (dead) {
      return;
    }
    world.after(TICK, "worker", this::tick);
    act(this::disturb);
  }

  private void disturb() {
    Stream to = stream;
    if (world.happens(Fault.WORKER_DIES)) {
      die();
    } else if (to != null && world.happens(Fault.STREAM_BREAKS)) {
      world.count("streams broken");
      to.cut(true);
    } else if (world.happens(Fault.STREAM_SILENT)) {
      world.count("workers that stand still");
      standsStillUntil = world.now() + world.between(0, 8 * SimulatedWorld.SECOND);
    } else if (world.happens(Fault.SLOTS_CHANGE)) {
      setSlots(world.random.nextInt(6));
    } else if (world.happens(Fault.WORKER_STOPS)) {
      world.count("workers stopped in order");
      stopping = true;
      setSlots(0);
      running.values().stream()
          .filter(_ -> world.random.nextBoolean())
          .toList()
          .forEach(each -> each.ended(released()));
    } else if (world.isQuiet() && !stopping && slots == 0) {
      setSlots(2);
    }
    if (to != null && to == stream) {
      to.heartbeat(namesTasks);
    }
    finish();
  }

  /// The worker or its machine is gone; another one starts.
  private void die() {
    world.count("stream workers that died");
    world.trace(() -> name + " dies");
    dead = true;
    Stream last = stream;
    if (last != null) {
      last.link.cut(world.random.nextBoolean());
    }
    world.after(
        world.between(SimulatedWorld.MS, 5 * SimulatedWorld.SECOND),
        "worker starts",
        () -> start(world, ledger, broker, name + "'"));
  }

  /// Ends a worker that stops, once everything is acknowledged.
  private void finish() {
    Stream last = stream;
    boolean done =
        running.isEmpty()
            && unsent.isEmpty()
            && (last == null || last.unacknowledged.isEmpty());
    if (stopping && done) {
      dead = true;
      if (last != null) {
        last.link.halfClose();
      }
      world.after(
          world.between(0, 2 * SimulatedWorld.SECOND),
          "worker starts",
          () -> start(world, ledger, broker, name + "'"));
    }
  }

  private void setSlots(int number) {
    slots = number;
    int version = ++slotsVersion;
    Stream to = stream;
    if (number >= permitted || to == null) {
      permitted = number;
    } else {
      to.server.process().calmly(
          SLOTS_TAKE_EFFECT,
          "slots take effect",
          () -> {
            if (version == slotsVersion) {
              permitted = number;
            }
          });
    }
    if (to != null) {
      to.sendSlots();
    }
  }

  private void connect() {
    if (dead || stream != null) {
      return;
    }
    SimulatedProcess process = broker.run();
    SimulatedServer server = process == null ? null : process.server();
    if (server == null) {
      world.after(
          world.between(100 * SimulatedWorld.MS, SimulatedWorld.SECOND), "connect", this::connect);
    } else {
      stream = new Stream(server);
      stream.greet();
    }
  }

  private void sendResults() {
    Stream to = stream;
    if (to != null && !unsent.isEmpty()) {
      to.sendResults();
    }
    finish();
  }

  // What the broker sends.

  private void received(BrokerMessage message) {
    switch (message.getMessageCase()) {
      case DELIVERIES -> {
        message.getDeliveries().getDeliveriesList().forEach(this::take);
        long held = running.values().stream().filter(each -> !each.cancelled).count();
        ledger.streams.received(name, (int) held, permitted);
      }
      case CANCELLATIONS -> message.getCancellations().getCancellationsList().forEach(this::stop);
      case RESULTS_ACK -> {
        Stream from = stream;
        if (from != null) {
          from.unacknowledged.remove(message.getResultsAck().getNumber());
          finish();
        }
      }
      case WELCOME, DRAIN, MESSAGE_NOT_SET -> {}
    }
  }

  private void take(Delivery delivery) {
    var attempt = new Attempt(delivery);
    running.put(attempt.token, attempt);
    world.trace(() -> name + " has " + attempt.id);
    if (stopping || world.happens(Fault.TASK_RELEASED)) {
      attempt.ended(released());
      return;
    }
    world.count("executions on streams");
    long deadline = delivery.getTask().getDeadlineSeconds() * SimulatedWorld.SECOND;
    long takes =
        world.happens(Fault.WORKER_SLOW)
            ? world.between(0, 2 * deadline + SimulatedWorld.SECOND)
            : world.between(SimulatedWorld.MS, 300 * SimulatedWorld.MS);
    Result.Builder outcome =
        world.happens(Fault.WORKER_FAILS) || world.happens(Fault.WORKER_RETRIES)
            ? Result.newBuilder().setFailed(failed())
            : Result.newBuilder().setCompleted(Completed.getDefaultInstance());
    world.after(takes, "attempt ends", () -> act(() -> attempt.ended(outcome)));
  }

  private static Result.Builder released() {
    return Result.newBuilder().setReleased(Released.getDefaultInstance());
  }

  private Failed failed() {
    Failed.Builder failed = Failed.newBuilder().setMessage("as the seed wants");
    switch (world.random.nextInt(6)) {
      case 0 -> failed.setFinal(true);
      case 1 -> failed.setRetryAfterMs(world.random.nextInt(3_000));
      case 2 -> failed.setMaxAttempts(world.random.nextInt(4));
      default -> {}
    }
    return failed.build();
  }

  /// Most attempts stop when they are told to.
  private void stop(Cancellation cancellation) {
    Attempt attempt = running.get(cancellation.getToken());
    if (attempt != null) {
      attempt.cancelled = true;
      if (world.random.nextInt(4) > 0) {
        attempt.ended(Result.newBuilder().setFailed(failed()));
      }
    }
  }

  /// A stream to one process of the broker.
  private final class Stream implements Link.Peer {
    final SimulatedServer server;
    final Link link;

    /// Messages of results that the broker has not acknowledged, by their numbers.
    final TreeMap<Long, List<Result>> unacknowledged = new TreeMap<>();

    private long number;

    Stream(SimulatedServer server) {
      this.server = server;
      link = server.connect(SteppedServices.WORK, this);
    }

    /// Says what it is, which attempts it still runs, and what the broker may not know yet.
    void greet() {
      permitted = slots;
      slotsVersion++;
      int free = Math.max(0, slots - running.size());
      Hello.Builder hello = Hello.newBuilder().setApplication(application).setSlots(free);
      if (oneNamespace) {
        hello.addNamespaces("ns");
      }
      send(WorkerMessage.newBuilder().setHello(hello));
      if (!running.isEmpty()) {
        heartbeat(true);
      }
      sendSlots();
      if (!unsent.isEmpty()) {
        sendResults();
      }
    }

    private void send(WorkerMessage.Builder message) {
      link.send(message.build().toByteArray());
    }

    void sendSlots() {
      send(WorkerMessage.newBuilder().setSlots(Slots.newBuilder().setSlots(slots)));
    }

    void sendResults() {
      List<Result> some = List.copyOf(unsent);
      unsent.clear();
      unacknowledged.put(++number, some);
      send(
          WorkerMessage.newBuilder()
              .setResults(Results.newBuilder().setNumber(number).addAllResults(some)));
    }

    void heartbeat(boolean named) {
      Heartbeat.Builder heartbeat = Heartbeat.newBuilder();
      if (named) {
        running
            .values()
            .forEach(each ->
                heartbeat.addTasks(
                    TaskHeartbeat.newBuilder().setId(each.id).setToken(each.token)));
      }
      send(WorkerMessage.newBuilder().setHeartbeat(heartbeat));
    }

    @Override
    public void message(byte[] bytes) {
      act(() -> {
        if (stream == this) {
          try {
            received(BrokerMessage.parseFrom(bytes));
          } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
          }
        }
      });
    }

    @Override
    public void closed(Status.@Nullable Code status) {
      boolean mistaken =
          status == Status.Code.INVALID_ARGUMENT || status == Status.Code.RESOURCE_EXHAUSTED;
      Violation.check(!mistaken, "G9", () -> name + " is told that it is wrong: " + status);
      act(this::lost);
    }

    void cut(boolean heard) {
      link.cut(heard);
      lost();
    }

    private void lost() {
      if (stream == this) {
        stream = null;
        unacknowledged.values().forEach(unsent::addAll);
        unacknowledged.clear();
        world.after(
            world.between(100 * SimulatedWorld.MS, 3 * SimulatedWorld.SECOND),
            "connect",
            () -> act(StreamWorker.this::connect));
      }
    }
  }
}
