package io.taskbroker.simulation;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.grpc.Status;
import io.taskbroker.activation.Ids;
import io.taskbroker.grpc.SteppedServices;
import io.taskbroker.protocol.v1.CancelRequest;
import io.taskbroker.protocol.v1.EnqueueRequest;
import io.taskbroker.protocol.v1.EnqueueResponse;
import io.taskbroker.protocol.v1.EnqueueStatus;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.OnFailure;
import io.taskbroker.protocol.v1.RejectReason;
import io.taskbroker.protocol.v1.RetryPolicy;
import io.taskbroker.protocol.v1.Task;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Clients that enqueue tasks at brokers directly, over a network that loses requests and answers:
/// each repeats its request at the same broker until it is answered, and some do so again later.
/// Some cancel what they enqueued.
final class EnqueueClients {
  private static final long TIMEOUT = 3 * SimulatedWorld.SECOND;
  private static final int MOST_TASKS = 4;

  private final SimulatedWorld world;
  private final SeedPlan plan;
  private final Ledger ledger;
  private final List<SimulatedBroker> brokers;
  private int number;
  private int unanswered;

  EnqueueClients(
      SimulatedWorld world, SeedPlan plan, Ledger ledger, List<SimulatedBroker> brokers) {
    this.world = world;
    this.plan = plan;
    this.ledger = ledger;
    this.brokers = brokers;
  }

  void start(long end) {
    for (int i = 0; i < plan.tasks() / 2; i++) {
      world.after(world.between(0, end), "enqueue", this::enqueue);
    }
  }

  /// Whether every request was answered.
  boolean isDone() {
    return unanswered == 0;
  }

  private void enqueue() {
    SimulatedBroker broker = brokers.get(world.random.nextInt(brokers.size()));
    List<NewTask> tasks = new ArrayList<>();
    int count = world.random.nextInt(3) == 0 ? 1 + world.random.nextInt(MOST_TASKS) : 1;
    for (int i = 0; i < count; i++) {
      NewTask task = task();
      ledger.enqueues.wants(broker, id(task), task);
      tasks.add(task);
    }
    new Request(broker, tasks).send();
    if (world.happens(Fault.TASK_CANCELLED)) {
      String id = id(tasks.getFirst());
      world.after(world.between(0, 2 * SimulatedWorld.SECOND), "cancel", () -> cancel(broker, id));
    }
  }

  private static String id(NewTask task) {
    return task.getIdempotencyKey().isEmpty()
        ? task.getTask().getId()
        : Ids.idempotent(
            task.getTask().getApplication(),
            task.getTask().getNamespace(),
            task.getIdempotencyKey());
  }

  private NewTask task() {
    Task.Builder task =
        Task.newBuilder()
            .setApplication(Workers.APPLICATIONS.get(world.random.nextInt(2)))
            .setNamespace(world.random.nextBoolean() ? "ns" : "other")
            .setName(world.random.nextInt(4) == 0 ? "toil" : "work")
            .setArguments(ByteString.copyFrom(new byte[world.random.nextInt(60)]))
            .setDeadlineSeconds(1 + world.random.nextInt(4))
            .setPriority(world.random.nextInt(3) == 0 ? world.random.nextInt(-4, 5) : 0)
            .setRetry(policy());
    long wall = world.wall();
    switch (world.random.nextInt(12)) {
      case 0 -> task.setDelaySeconds(1 + world.random.nextInt(4));
      case 1 -> task.setDelaySeconds(10 + world.random.nextInt(20));
      case 2 -> task.setNotBefore(time(wall + world.random.nextInt(3_000)));
      case 3 -> task.setExpiresSeconds(1 + world.random.nextInt(8));
      case 4 -> task.setExpiresAt(time(wall + world.random.nextInt(6_000)));
      default -> {}
    }
    NewTask.Builder wanted = NewTask.newBuilder();
    String name = "enqueued-" + number++;
    if (world.random.nextInt(3) == 0) {
      wanted.setIdempotencyKey(name);
    } else {
      task.setId(name);
    }
    switch (world.random.nextInt(4)) {
      case 0 -> wanted.setRememberSeconds(0);
      case 1 -> wanted.setRememberSeconds(2 + world.random.nextInt(10));
      default -> {}
    }
    return wanted.setTask(task).build();
  }

  private RetryPolicy policy() {
    RetryPolicy.Builder policy =
        RetryPolicy.newBuilder()
            .setMaxAttempts(world.random.nextInt(4))
            .setAtMostOnce(world.random.nextInt(4) == 0)
            .setOnFailure(
                world.random.nextBoolean()
                    ? OnFailure.ON_FAILURE_DEAD_LETTER
                    : OnFailure.ON_FAILURE_DISCARD);
    switch (world.random.nextInt(4)) {
      case 0 -> policy.setDelaySeconds(1 + world.random.nextInt(3));
      case 1 -> policy.setDelayMs(100 + world.random.nextInt(3_000)).setGrowthPercent(200);
      case 2 -> policy.setDelayMs(2_000).setMaxDelayMs(3_000).setGrowthPercent(300);
      default -> {}
    }
    if (world.random.nextInt(3) == 0) {
      policy.setJitterPercent(world.random.nextInt(101));
    }
    return policy.build();
  }

  private static Timestamp time(long millis) {
    return Story.time(millis);
  }

  private static @Nullable SimulatedServer serverOf(SimulatedBroker broker) {
    SimulatedProcess process = broker.run();
    return process == null ? null : process.server();
  }

  private void cancel(SimulatedBroker broker, String id) {
    SimulatedServer server = serverOf(broker);
    if (server != null) {
      world.count("cancellations");
      Link link = server.connect(SteppedServices.CANCEL, new Nobody());
      link.send(CancelRequest.newBuilder().setId(id).build().toByteArray());
      link.halfClose();
    }
  }

  /// A client that does not wait for the answer.
  private static final class Nobody implements Link.Peer {
    @Override
    public void message(byte[] bytes) {}

    @Override
    public void closed(Status.@Nullable Code status) {}
  }

  /// One request, repeated until each of its tasks is accepted or refused for good.
  private final class Request {
    private final SimulatedBroker broker;
    private List<NewTask> tasks;

    Request(SimulatedBroker broker, List<NewTask> tasks) {
      this.broker = broker;
      this.tasks = tasks;
      unanswered++;
    }

    void send() {
      SimulatedServer server = serverOf(broker);
      if (server == null) {
        again(world.between(100 * SimulatedWorld.MS, SimulatedWorld.SECOND));
        return;
      }
      new Attempt(this, server).begin();
    }

    private void again(long nanos) {
      world.after(nanos, "enqueue again", this::send);
    }

    private void answered(EnqueueResponse response) {
      List<NewTask> refused = new ArrayList<>();
      for (int i = 0; i < tasks.size(); i++) {
        var result = response.getResults(i);
        if (result.getStatus() == EnqueueStatus.ENQUEUE_STATUS_REJECTED
            && result.getReason() == RejectReason.REJECT_REASON_FULL) {
          refused.add(tasks.get(i));
        }
      }
      if (!refused.isEmpty()) {
        tasks = refused;
        again(world.between(SimulatedWorld.SECOND, 3 * SimulatedWorld.SECOND));
        return;
      }
      unanswered--;
      if (world.happens(Fault.ENQUEUED_AGAIN)) {
        world.count("requests repeated after their answers");
        var again = new Request(broker, tasks);
        again.again(world.between(0, 15 * SimulatedWorld.SECOND));
      }
    }
  }

  /// One call of a request.
  private final class Attempt implements Link.Peer {
    private final Request request;
    private final Link link;
    private boolean over;

    Attempt(Request request, SimulatedServer server) {
      this.request = request;
      this.link = server.connect(SteppedServices.ENQUEUE, this);
    }

    void begin() {
      link.send(EnqueueRequest.newBuilder().addAllTasks(request.tasks).build().toByteArray());
      link.halfClose();
      world.after(TIMEOUT, "enqueue times out", this::giveUp);
      if (world.happens(Fault.NETWORK_LOSES)) {
        world.count("enqueues cut off");
        world.after(world.between(0, 20 * SimulatedWorld.MS), "connection breaks", this::giveUp);
      }
    }

    private void giveUp() {
      if (!over) {
        over = true;
        link.cut(true);
        request.again(world.between(50 * SimulatedWorld.MS, SimulatedWorld.SECOND));
      }
    }

    @Override
    public void message(byte[] bytes) {
      if (!over) {
        over = true;
        try {
          request.answered(EnqueueResponse.parseFrom(bytes));
        } catch (InvalidProtocolBufferException e) {
          throw new AssertionError(e);
        }
      }
    }

    @Override
    public void closed(Status.@Nullable Code status) {
      if (!over) {
        over = true;
        request.again(world.between(50 * SimulatedWorld.MS, SimulatedWorld.SECOND));
      }
    }
  }
}
