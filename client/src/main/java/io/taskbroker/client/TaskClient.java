package io.taskbroker.client;

import io.taskbroker.client.codec.PayloadCipher;
import io.taskbroker.client.codec.PayloadCodec;
import io.taskbroker.client.codec.Payloads;
import io.taskbroker.client.grpc.BrokerConnections;
import io.taskbroker.client.grpc.ConnectionOptions;
import io.taskbroker.client.grpc.GrpcTransport;
import io.taskbroker.client.spi.TaskTransport;
import io.taskbroker.client.spi.WireCalls;
import io.taskbroker.protocol.v1.EnqueueResult;
import io.taskbroker.protocol.v1.NewTask;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Enqueues calls of tasks, and asks about them. One instance serves a whole application; it is
/// thread-safe, and joins concurrent enqueues into few requests.
///
/// An enqueue has succeeded when the call is durable at the broker. Repeats after lost answers do
/// not run a call twice.
public final class TaskClient implements AutoCloseable {
  private final TaskTransport transport;
  private final @Nullable BrokerConnections connections;
  private final Payloads payloads;
  private final WireCalls wire;
  private final List<UnaryOperator<TaskCall<?>>> interceptors;

  private TaskClient(
      TaskTransport transport, @Nullable BrokerConnections connections, Builder options) {
    this.transport = transport;
    this.connections = connections;
    this.payloads = options.payloads;
    this.wire =
        new WireCalls(payloads, options.clock, options.connection.enqueueTimeout().multipliedBy(2));
    this.interceptors = List.copyOf(options.interceptors);
  }

  /// A client of one broker, without encryption: `connect("localhost:50051")`. Connects when first
  /// used, and again whenever the connection is lost.
  public static TaskClient connect(String target) {
    return builder().target(target).build();
  }

  public static Builder builder() {
    return new Builder();
  }

  /// Enqueues a call and waits until it is durable.
  ///
  /// @throws TaskRejectedException if the broker refuses the call for good
  /// @throws BrokerFullException if there is no room for it in time
  /// @throws BrokerUnavailableException if no broker answers in time
  public <T> TaskHandle enqueue(Task<T> task, T argument) {
    return enqueue(task.with(argument));
  }

  /// Enqueues a call with options of its own, as [#enqueue(Task, Object)].
  public TaskHandle enqueue(TaskCall<?> call) {
    return join(send(call, true));
  }

  /// Enqueues many calls and waits until all are durable. The result has their order.
  ///
  /// @throws TaskBrokerException of the first call that failed; others may have been enqueued, so
  ///   that calls with ids or keys can be repeated
  public List<TaskHandle> enqueueAll(List<? extends TaskCall<?>> calls) {
    List<CompletableFuture<TaskHandle>> sent = new ArrayList<>(calls.size());
    for (TaskCall<?> call : calls) {
      sent.add(send(call, true));
    }
    List<TaskHandle> handles = new ArrayList<>(sent.size());
    for (CompletableFuture<TaskHandle> each : sent) {
      handles.add(join(each));
    }
    return List.copyOf(handles);
  }

  /// Enqueues a call without waiting. Back-pressure: the future fails with [BrokerFullException] at
  /// once if the client holds 10,000 unanswered calls or 32 MiB of them.
  ///
  /// @return fails with a [TaskBrokerException], as [#enqueue(Task, Object)]
  public CompletableFuture<TaskHandle> enqueueAsync(TaskCall<?> call) {
    return send(call, false);
  }

  /// A task that was enqueued before, here or elsewhere. With many brokers, the first one is asked.
  public TaskHandle handle(String id) {
    return new TaskHandle(transport, payloads, "", id, false);
  }

  /// The schedules of the brokers. With many brokers that share no store, those of the first one.
  ///
  /// @throws UnsupportedOperationException if calls leave by another way than a connection to
  ///   brokers, such as Kafka
  public Schedules schedules() {
    if (transport instanceof GrpcTransport brokers) {
      return new Schedules(this, brokers);
    }
    throw new UnsupportedOperationException("Schedules need a connection to a broker");
  }

  /// How arguments and results of this client are encoded.
  public Payloads payloads() {
    return payloads;
  }

  /// The call in the form of the protocol, as an enqueue would send it.
  ///
  /// @throws TaskRejectedException if the argument cannot be encoded
  public NewTask encode(TaskCall<?> call) {
    TaskCall<?> changed = call;
    for (UnaryOperator<TaskCall<?>> each : interceptors) {
      changed = each.apply(changed);
    }
    return wire.encode(changed);
  }

  /// The way by which calls leave.
  public TaskTransport transport() {
    return transport;
  }

  /// Connections of the brokers; empty if the client does not connect to brokers.
  Optional<BrokerConnections> connections() {
    return Optional.ofNullable(connections);
  }

  private CompletableFuture<TaskHandle> send(TaskCall<?> call, boolean waits) {
    NewTask encoded;
    try {
      encoded = encode(call);
    } catch (TaskRejectedException e) {
      return CompletableFuture.failedFuture(e);
    }
    return transport.enqueue(encoded, waits).thenApply(answer -> handle(call, encoded, answer));
  }

  private TaskHandle handle(TaskCall<?> call, NewTask sent, TaskTransport.Enqueued answer) {
    EnqueueResult result = answer.result();
    String id = result.getId().isEmpty() ? sent.getTask().getId() : result.getId();
    return switch (result.getStatus()) {
      case ENQUEUE_STATUS_ACCEPTED ->
          new TaskHandle(transport, payloads, answer.broker(), id, true);
      case ENQUEUE_STATUS_ALREADY_EXISTS ->
          new TaskHandle(transport, payloads, answer.broker(), id, false);
      case ENQUEUE_STATUS_REJECTED, ENQUEUE_STATUS_UNSPECIFIED, UNRECOGNIZED ->
          throw refusal(call, result);
    };
  }

  private static TaskBrokerException refusal(TaskCall<?> call, EnqueueResult result) {
    String message = "Could not enqueue " + call + ": " + result.getMessage();
    return switch (result.getReason()) {
      case REJECT_REASON_FULL -> new BrokerFullException(message);
      case REJECT_REASON_SWITCHED_OFF ->
          new TaskRejectedException(TaskRejectedException.Reason.SWITCHED_OFF, message, null);
      case REJECT_REASON_EXPIRED ->
          new TaskRejectedException(TaskRejectedException.Reason.EXPIRED, message, null);
      case REJECT_REASON_INVALID, REJECT_REASON_UNSPECIFIED, UNRECOGNIZED ->
          new TaskRejectedException(TaskRejectedException.Reason.INVALID, message, null);
    };
  }

  private static TaskHandle join(CompletableFuture<TaskHandle> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof TaskBrokerException known) {
        throw known;
      }
      throw e;
    }
  }

  /// Sends what was accepted, waiting up to the enqueue timeout, and closes the connections. Stop
  /// workers of this client before.
  @Override
  public void close() {
    transport.close();
  }

  /// Options of a client. Not thread-safe.
  public static final class Builder {
    private ConnectionOptions connection = ConnectionOptions.DEFAULT;
    private Payloads payloads = Payloads.json();
    private InstantSource clock = InstantSource.system();
    private final List<UnaryOperator<TaskCall<?>>> interceptors = new ArrayList<>();
    private @Nullable TaskTransport transport;

    private Builder() {}

    /// Brokers as `host:port`: a call goes to one of them, a worker connects to each.
    public Builder target(String... targets) {
      connection = connection.withTargets(Arrays.asList(targets));
      return this;
    }

    /// Shared secret that signs each request, if the broker requires it.
    public Builder secret(String secret) {
      connection = connection.withSecret(secret);
      return this;
    }

    /// Encrypts connections with the certificates that the JVM trusts.
    public Builder tls() {
      connection = connection.withTls(null, null, null);
      return this;
    }

    /// Encrypts connections, trusting the certificates of a PEM file.
    public Builder tls(Path trusted) {
      connection = connection.withTls(trusted, null, null);
      return this;
    }

    /// Encrypts connections and presents a client certificate. All files are PEM.
    public Builder tls(Path trusted, Path certificate, Path key) {
      connection = connection.withTls(trusted, certificate, key);
      return this;
    }

    /// How long an enqueue tries, repeats included; 30 s if not given.
    public Builder enqueueTimeout(Duration timeout) {
      TaskCall.requirePositive("enqueueTimeout", timeout);
      connection = connection.withEnqueueTimeout(timeout);
      return this;
    }

    /// Encoding of arguments; JSON if not given.
    public Builder codec(PayloadCodec codec) {
      payloads = payloads.codec(codec);
      return this;
    }

    /// Compresses arguments above this size in bytes by zstd. Needs `zstd-jni`.
    public Builder compressAbove(int bytes) {
      payloads = payloads.compressAbove(bytes);
      return this;
    }

    /// Encrypts arguments and results.
    public Builder cipher(PayloadCipher cipher) {
      payloads = payloads.cipher(cipher);
      return this;
    }

    /// Changes each call before it is encoded, such as to add headers. The first one given runs
    /// first. Must be thread-safe.
    public Builder intercept(UnaryOperator<TaskCall<?>> interceptor) {
      interceptors.add(interceptor);
      return this;
    }

    /// Source of the present time, for delays of less than a second.
    public Builder clock(InstantSource clock) {
      this.clock = clock;
      return this;
    }

    /// Another way than a connection to brokers, such as Kafka.
    public Builder transport(TaskTransport transport) {
      this.transport = transport;
      return this;
    }

    /// @throws IllegalStateException if there is no target, or a file of TLS cannot be read
    public TaskClient build() {
      if (transport != null) {
        return new TaskClient(transport, null, this);
      }
      if (connection.targets().isEmpty()) {
        throw new IllegalStateException("Give the client a target, such as localhost:50051");
      }
      BrokerConnections opened = BrokerConnections.open(connection);
      return new TaskClient(new GrpcTransport(opened), opened, this);
    }
  }
}
