package io.taskbroker.testkit;

import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.taskbroker.proto.v1.PushTaskRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.WorkerServiceGrpc;
import io.taskbroker.testkit.Behaviour.Result;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Simulated push worker finished real gRPC (reference-spec 11.10): answers each push at once, lets
/// the task run for its time, and reports the result until the broker accepts it. Thousands of
/// tasks run concurrently on one timer thread. Thread-safe.
public final class PushWorker implements AutoCloseable {
  private static final int MAX_MESSAGE_BYTES = 10 * 1024 * 1024;
  private static final byte[] TAKEN = {};

  private final WorkerOptions options;
  private final Behaviour behaviour;
  private final ExecutionLog log;
  private final Signer signer;
  private final BrokerClient broker;
  private final TimerWheel wheel;
  private final Reporter reporter;
  private final Server server;
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger connections = new AtomicInteger();
  private final IdleWait idleness = new IdleWait(this::isIdle);

  private PushWorker(WorkerOptions options, Behaviour behaviour, ExecutionLog log) {
    this.options = options;
    this.behaviour = behaviour;
    this.log = log;
    signer = new Signer(options.secrets());
    broker = new BrokerClient(options.broker(), options.secrets());
    wheel = new TimerWheel("push-worker", this::sendReports);
    reporter = new Reporter(broker, wheel, log, options.reportBatch());
    server =
        NettyServerBuilder.forAddress(Ports.address(options.port()))
            .directExecutor()
            .maxInboundMessageSize(MAX_MESSAGE_BYTES)
            .addTransportFilter(new Connections())
            .addService(
                ServerServiceDefinition.builder(WorkerServiceGrpc.SERVICE_NAME)
                    .addMethod(RawMethods.PUSH_TASK, this::startCall)
                    .build())
            .build();
  }

  /// Starts a worker; it is reachable when this returns.
  public static PushWorker start(WorkerOptions options, Behaviour behaviour, ExecutionLog log) {
    var worker = new PushWorker(options, behaviour, log);
    try {
      worker.server.start();
    } catch (IOException e) {
      worker.broker.close();
      throw new UncheckedIOException("Could not start a worker on port " + options.port(), e);
    }
    worker.wheel.start();
    new CallTimeouts(worker.wheel, worker.broker).start();
    return worker;
  }

  public int port() {
    return server.getPort();
  }

  /// Address for the broker's `worker_map`.
  public String url() {
    return "http://" + Ports.HOST + ":" + port();
  }

  /// Number of running tasks.
  public int running() {
    return running.get();
  }

  /// Number of open connections. When a broker was killed and has none any more, all that it sent
  /// has been taken.
  public int connections() {
    return connections.get();
  }

  /// Keeps all results back until [#releaseReports]; tasks run and end as usual.
  public void holdReports() {
    reporter.hold(true);
  }

  public void releaseReports() {
    reporter.hold(false);
  }

  /// Waits until nothing runs and every result was accepted.
  ///
  /// @return false on timeout
  public boolean awaitIdle(Duration timeout) throws InterruptedException {
    return idleness.await(timeout);
  }

  /// Stops like a killed worker: running tasks are never reported.
  @Override
  public void close() {
    server.shutdownNow();
    wheel.close();
    broker.close();
    try {
      server.awaitTermination(5, TimeUnit.SECONDS);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean isIdle() {
    return running.get() == 0 && reporter.isIdle();
  }

  private void sendReports() {
    reporter.send();
  }

  private ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
    call.request(2);
    return new PushCall(call, headers.get(RawMethods.SIGNATURE));
  }

  private Status take(byte[] request, @Nullable String signature) {
    if (!signer.accepts(RawMethods.PUSH_TASK.getFullMethodName(), request, signature)) {
      return Status.UNAUTHENTICATED.withDescription("Authentication failed");
    }
    TaskActivation activation;
    try {
      activation = PushTaskRequest.parseFrom(request).getTask();
    } catch (InvalidProtocolBufferException e) {
      return Status.INVALID_ARGUMENT.withDescription("Not a PushTaskRequest: " + e.getMessage());
    }
    if (running.incrementAndGet() > options.concurrency()) {
      running.decrementAndGet();
      return Status.RESOURCE_EXHAUSTED.withDescription("worker busy");
    }
    Execution execution = Execution.start(activation, behaviour, log, this::finished);
    wheel.schedule(execution, execution.run.millis());
    return Status.OK;
  }

  private void finished(Execution execution) {
    log.finished(execution.number);
    if (execution.run.result() != Result.NO_REPORT) {
      reporter.add(execution);
    }
    running.decrementAndGet();
  }

  private final class Connections extends ServerTransportFilter {
    @Override
    public Attributes transportReady(Attributes transport) {
      connections.incrementAndGet();
      return transport;
    }

    @Override
    public void transportTerminated(Attributes transport) {
      connections.decrementAndGet();
    }
  }

  private final class PushCall extends ServerCall.Listener<byte[]> {
    private final ServerCall<byte[], byte[]> call;
    private final @Nullable String signature;
    private byte @Nullable [] request;

    PushCall(ServerCall<byte[], byte[]> call, @Nullable String signature) {
      this.call = call;
      this.signature = signature;
    }

    @Override
    public void onMessage(byte[] message) {
      request = message;
    }

    @Override
    public void onHalfClose() {
      Status status =
          request == null
              ? Status.INTERNAL.withDescription("No request")
              : take(request, signature);
      if (status.isOk()) {
        call.sendHeaders(new Metadata());
        call.sendMessage(TAKEN);
      }
      call.close(status, new Metadata());
    }
  }
}
