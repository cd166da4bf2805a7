package io.taskbroker.client;

import io.taskbroker.client.grpc.BrokerConnections;
import io.taskbroker.client.grpc.Counts;
import io.taskbroker.client.grpc.RunningTasks;
import io.taskbroker.client.grpc.WorkSources;
import io.taskbroker.client.grpc.WorkSources.Way;
import io.taskbroker.client.grpc.WorkerOptions;
import io.taskbroker.client.spi.TaskRunner;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledFuture;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs tasks of one application: gets them from every broker of a client, each on a virtual thread
/// of its own, and reports the results. Thread-safe.
///
/// ```java
/// try (TaskClient client = TaskClient.connect("localhost:50051");
///     Worker worker = Worker.builder(client).task(SEND_RECEIPT).start()) {
///   worker.awaitClosed();
/// }
/// ```
///
/// After a lost connection the worker connects again, after a pause with jitter, 100 ms to 10 s.
/// Tasks run on meanwhile, and it reports their results on the next connection.
public final class Worker implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Worker.class);
  private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(5);
  private static final Duration FOR_REPORTS = Duration.ofSeconds(5);
  private static final String VERSION = "taskbroker-java/" + version();

  private final WorkSources sources;
  private final RunningTasks tasks;
  private final Counts counts;
  private final TaskRunner runner;
  private final IntSupplier slots;
  private final @Nullable ScheduledFuture<?> looks;
  private final Duration stopTimeout;
  private final CountDownLatch closed = new CountDownLatch(1);
  private boolean closing;

  private Worker(Builder options) {
    ResourceSlots adapting = options.adapting;
    int fixed = options.slots;
    this.slots = adapting == null ? () -> fixed : adapting::now;
    this.stopTimeout = options.stopTimeout;
    this.runner = new TaskRunner(options.bindings, options.middleware, options.client.payloads());
    this.tasks = new RunningTasks(runner, options.client.payloads(), InstantSource.system());
    this.counts = new Counts();
    BrokerConnections connections =
        options
            .client
            .connections()
            .orElseThrow(() ->
                new IllegalStateException(
                    "This client does not connect to brokers: give the worker one that does,"
                        + " by TaskClient.connect"));
    int share = connections.brokers().size();
    WorkerOptions hello =
        new WorkerOptions(
            options.application,
            options.namespaces,
            Math.ceilDiv(options.slots, share),
            () -> Math.ceilDiv(slots.getAsInt(), share),
            options.name,
            VERSION);
    this.sources =
        WorkSources.of(options.way, connections, hello, tasks, counts, options.pushAddress);
    this.looks = adapting == null ? null : adapting.follow(connections.timer(), tasks::size);
  }

  private static String version() {
    String version = Worker.class.getPackage().getImplementationVersion();
    return version == null ? "development" : version;
  }

  public static Builder builder(TaskClient client) {
    return new Builder(client);
  }

  private Worker start() {
    sources.start();
    return this;
  }

  /// Number of tasks that run now.
  public int running() {
    return tasks.size();
  }

  /// Most tasks at once, now.
  public int slots() {
    return slots.getAsInt();
  }

  /// Tasks that it has code for, as `namespace/name`.
  public Set<String> taskNames() {
    return runner.names();
  }

  /// Counters since the worker started.
  public WorkerCounts counts() {
    return counts.now();
  }

  /// Whether it is connected to at least one broker.
  public boolean isConnected() {
    return sources.isConnected();
  }

  /// Waits until the worker was closed.
  public void awaitClosed() throws InterruptedException {
    closed.await();
  }

  /// Stops, in this order: takes no more tasks; lets running ones finish, up to the [stop
  /// timeout][Builder#stopTimeout]; interrupts the rest, and gives back those that may run again;
  /// reports all results. Then no thread and no connection of the worker is left. Later calls wait
  /// for the first.
  @Override
  public void close() {
    synchronized (this) {
      if (closing) {
        return;
      }
      closing = true;
    }
    try {
      sources.drain();
      if (!tasks.awaitEmpty(stopTimeout)) {
        log.warn("{} tasks run on after {}: interrupting them", tasks.size(), stopTimeout);
        interruptAll();
      }
    } catch (InterruptedException e) {
      tasks.cancelAll(Cancellation.Reason.WORKER_STOPS);
      Thread.currentThread().interrupt();
    }
    sources.close(FOR_REPORTS);
    if (looks != null) {
      looks.cancel(false);
    }
    closed.countDown();
  }

  private void interruptAll() throws InterruptedException {
    tasks.cancelAll(Cancellation.Reason.WORKER_STOPS);
    if (!tasks.awaitEmpty(AFTER_INTERRUPT)) {
      log.error("{} tasks ignore interruption; they will run again elsewhere", tasks.size());
    }
  }

  /// Options of a worker. Not thread-safe.
  public static final class Builder {
    private static final int MAX_SLOTS = 10_000;

    private final TaskClient client;
    private final List<TaskRunner.Binding<?>> bindings = new ArrayList<>();
    private final List<TaskMiddleware> middleware = new ArrayList<>();
    private final List<String> namespaces = new ArrayList<>();
    private String application = "default";
    private String name = "java-" + ProcessHandle.current().pid();
    private int slots = 100;
    private @Nullable ResourceSlots adapting;
    private Duration stopTimeout = Duration.ofSeconds(30);
    private Way way = Way.STREAM;
    private InetSocketAddress pushAddress =
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    private Builder(TaskClient client) {
      this.client = client;
    }

    /// Tasks that were defined with their code.
    ///
    /// @throws IllegalArgumentException if one has none
    public Builder task(Task<?>... tasks) {
      for (Task<?> each : tasks) {
        bind(each);
      }
      return this;
    }

    private <T> void bind(Task<T> task) {
      handle(
          task,
          task.handler()
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      task + " has no code: give it to Task.of, or use handle(task, code)")));
    }

    /// A task and its code.
    public <T> Builder handle(Task<T> task, TaskHandler.OfArgument<T> handler) {
      return handle(task, (T argument, TaskContext context) -> handler.run(argument));
    }

    /// A task and its code, which uses the context.
    public <T> Builder handle(Task<T> task, TaskHandler<T> handler) {
      bindings.add(new TaskRunner.Binding<>(task, handler));
      return this;
    }

    /// Application whose tasks to run; `default` if not given.
    public Builder application(String application) {
      this.application = Task.checked("application", application);
      return this;
    }

    /// Runs tasks of these namespaces only; all if not given.
    public Builder namespaces(String... namespaces) {
      this.namespaces.addAll(List.of(namespaces));
      return this;
    }

    /// Most tasks at once, 1 to 10,000, 100 if not given; divided among the brokers.
    public Builder slots(int slots) {
      if (slots < 1 || slots > MAX_SLOTS) {
        throw new IllegalArgumentException("slots must be 1 to 10,000, not " + slots);
      }
      this.slots = slots;
      this.adapting = null;
      return this;
    }

    /// Tasks at once as this process has memory and processors for, in place of a fixed number: it
    /// looks once a second, and takes fewer tasks while one of the limits is passed, and more
    /// otherwise. Running tasks go on.
    ///
    /// @param least from 1
    /// @param most from least to 10,000
    public Builder slots(int least, int most, ResourceLimit limit) {
      if (least < 1 || least > most) {
        throw new IllegalArgumentException(
            "least must be 1 to " + most + ", which is most, not " + least);
      }
      slots(most);
      return slots(ResourceSlots.ofProcess(least, most, limit));
    }

    Builder slots(ResourceSlots adapting) {
      this.slots = adapting.most();
      this.adapting = adapting;
      return this;
    }

    /// Name in logs and lists of the broker; `java-` and the process id if not given.
    public Builder name(String name) {
      this.name = name;
      return this;
    }

    /// Code around each attempt. The first one is the outermost.
    public Builder middleware(TaskMiddleware... middleware) {
      this.middleware.addAll(List.of(middleware));
      return this;
    }

    /// How long [Worker#close] lets running tasks finish; 30 s if not given, zero interrupts at
    /// once.
    public Builder stopTimeout(Duration timeout) {
      this.stopTimeout = timeout;
      return this;
    }

    /// Asks the broker for each task, in place of a stream: for a broker of the compatible contract
    /// in pull mode. Heartbeats, progress and results have no effect there, tasks cannot be given
    /// back, and delays of retries have whole seconds.
    public Builder pull() {
      way = Way.PULL;
      return this;
    }

    /// Listens for a broker of the compatible contract in push mode, in place of a stream; its
    /// `worker_map` names the address. The limits of [#pull] hold. With one broker only.
    ///
    /// @param address to listen on, such as `new InetSocketAddress("0.0.0.0", 50052)`
    public Builder push(InetSocketAddress address) {
      way = Way.PUSH;
      pushAddress = address;
      return this;
    }

    /// Starts a worker. It connects in the background, however long that takes.
    ///
    /// @throws IllegalStateException if there is no task, or the client does not connect to brokers
    public Worker start() {
      if (bindings.isEmpty()) {
        throw new IllegalStateException("Give the worker a task, by task(…) or handle(…)");
      }
      return new Worker(this).start();
    }
  }
}
