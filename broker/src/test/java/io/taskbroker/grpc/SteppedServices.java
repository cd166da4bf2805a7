package io.taskbroker.grpc;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.SystemContext;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.net.InetAddress;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;

/// The real services of the protocol `taskbroker.v1` without a network, on the event loop of a
/// simulation. All methods must be called in that loop.
public final class SteppedServices {
  public static final String ENQUEUE = "taskbroker.v1.TaskService/Enqueue";
  public static final String CANCEL = "taskbroker.v1.TaskService/Cancel";
  public static final String WORK = "taskbroker.v1.WorkerService/Work";
  public static final String UPSERT = ScheduleService.NAME + "/Upsert";
  public static final String DELETE = ScheduleService.NAME + "/Delete";
  public static final String PAUSE = ScheduleService.NAME + "/Pause";
  public static final String RESUME = ScheduleService.NAME + "/Resume";
  public static final String RUN = ScheduleService.NAME + "/RunNow";

  /// How long a worker with tasks may be silent.
  public static final Duration LEASE = RunningCalls.LEASE;

  private static final long BYTES = 64L << 20;
  private static final int MESSAGE_BYTES = 4 << 20;
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final Metrics METRICS = new Metrics(); // never read

  private final ScheduledExecutorService loop;
  private final RunningCalls running;
  private final Peer peer;
  private final Map<String, ServerMethodDefinition<?, ?>> methods = new HashMap<>();
  private final Set<Call> open = new LinkedHashSet<>();

  /// Services that pass requests to `intake`.
  ///
  /// @param schedules null if the broker keeps none
  /// @param loop runs tasks in their order, later than they are submitted
  public SteppedServices(
      String broker,
      CommandSink intake,
      @Nullable Schedules schedules,
      SystemContext context,
      ScheduledExecutorService loop) {
    this.loop = loop;
    running = new RunningCalls(loop, PATIENCE, context.ticker()::nanoTime);
    var budgets = new Budgets(new Budget(BYTES), new Budget(BYTES), new Budget(BYTES));
    peer = new Peer(InetAddress.getLoopbackAddress(), budgets, 0);
    var counts = new ServiceCounts(METRICS);
    var signatures = new Signatures(List.of());
    var tasks = new TaskService(intake, context.clock(), counts, new EnqueueCounts(METRICS));
    var options =
        new WorkerOptions(
            broker, MESSAGE_BYTES, Duration.ofSeconds(2), new WorkerOptions.Counts(METRICS));
    var workers = new WorkerService(intake, context.clock(), counts, options);
    add(tasks.definition(signatures));
    add(workers.definition(signatures));
    if (schedules != null) {
      add(new ScheduleService(schedules, counts).definition(signatures));
    }
  }

  private void add(ServerServiceDefinition service) {
    service
        .getMethods()
        .forEach(method -> methods.put(method.getMethodDescriptor().getFullMethodName(), method));
  }

  /// Client's end of a call. Called in the loop.
  public interface Client {
    void message(byte[] bytes);

    void closed(Status.Code status);
  }

  /// Begins a call.
  public Call call(String method, Client client) {
    return new Call(method, client);
  }

  /// Tells the clients of streams that the broker stops.
  public void drain() {
    List.copyOf(open).forEach(call -> running(call).drain());
  }

  /// Fails all calls.
  public void failAll() {
    List.copyOf(open)
        .forEach(call -> running(call).fail(Status.UNAVAILABLE.withDescription("stopping")));
  }

  /// Whether no call is pending.
  public boolean isIdle() {
    return open.isEmpty();
  }

  private static RunningCalls.RunningCall running(Call call) {
    return (RunningCalls.RunningCall) call.listener;
  }

  /// Call in progress.
  public final class Call {
    private final Client client;
    private final ServerMethodDefinition<?, ?> method;
    private final ServerCall.Listener<byte[]> listener;
    private boolean closed;

    @SuppressWarnings("unchecked") // all methods have raw messages
    private Call(String method, Client client) {
      this.client = client;
      this.method = required(methods.get(method));
      open.add(this);
      listener =
          ((ServerCallHandler<byte[], byte[]>) this.method.getServerCallHandler())
              .startCall(new Simulated(this), new Metadata());
    }

    private static <T> T required(@Nullable T it) {
      if (it == null) {
        throw new AssertionError("No such method");
      }
      return it;
    }

    /// A message of the client arrives.
    public void message(byte[] bytes) {
      if (!closed) {
        listener.onMessage(bytes);
      }
    }

    /// The client sends no more messages.
    public void halfClose() {
      if (!closed) {
        listener.onHalfClose();
      }
    }

    /// The connection broke.
    public void cancel() {
      if (!closed) {
        closed = true;
        open.remove(this);
        listener.onCancel();
      }
    }

    private void close(Status status) {
      if (!closed) {
        closed = true;
        open.remove(this);
        client.closed(status.getCode());
        loop.execute(listener::onComplete);
      }
    }
  }

  private final class Simulated extends ServerCall<byte[], byte[]> {
    private final Call call;
    private final Attributes attributes;

    Simulated(Call call) {
      this.call = call;
      var connection = new Connection(running, peer, BYTES, new ConnectionCounts(METRICS));
      attributes = Attributes.newBuilder().set(Connection.KEY, connection).build();
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(byte[] message) {
      if (!call.closed) {
        call.client.message(message);
      }
    }

    @Override
    public void close(Status status, Metadata trailers) {
      call.close(status);
    }

    @Override
    public boolean isCancelled() {
      return call.closed;
    }

    @Override
    public Attributes getAttributes() {
      return attributes;
    }

    @Override
    @SuppressWarnings("unchecked") // all methods have raw messages
    public MethodDescriptor<byte[], byte[]> getMethodDescriptor() {
      return (MethodDescriptor<byte[], byte[]>) call.method.getMethodDescriptor();
    }
  }
}
