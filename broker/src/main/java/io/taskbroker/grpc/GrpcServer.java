package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.runtime.EventLoops;
import io.taskbroker.runtime.FailureText;
import io.taskbroker.runtime.Service;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// gRPC server for workers: `ConsumerService` and health on one port, in plaintext or TLS
/// (reference-spec 2.4 to 2.7). A few event loops serve all connections and never block; a
/// connection stays on one of them. Thread-safe.
public final class GrpcServer implements Service {
  private static final Logger LOGGER = LoggerFactory.getLogger(GrpcServer.class);
  private static final int METADATA_BYTES = 16 << 10;
  private static final int BACKLOG = 1_024;
  private static final int MAX_PULL_WORKERS = 1_000;
  private static final int READ_BYTES = 16 << 10;
  private static final int READS = 4;
  private static final int RESETS = 2_048;
  private static final int RESETS_SECONDS = 10;
  private static final long GRACE_MILLIS = 2_000;
  private static final long FAIL_MILLIS = 500;
  private static final Status STOPPING = Status.UNAVAILABLE.withDescription("The broker stops");

  /// Library loggers of malformed requests and connections, each with a stack trace: any client
  /// could fill the log.
  private static final List<java.util.logging.Logger> LIBRARY_LOGGERS =
      Stream.of("NettyServerStream", "NettyServerHandler", "NettyServerTransport.connections")
          .map(name -> java.util.logging.Logger.getLogger("io.grpc.netty." + name))
          .toList();

  static {
    LIBRARY_LOGGERS.forEach(logger -> logger.setLevel(java.util.logging.Level.SEVERE));
  }

  private final GrpcOptions options;
  private final Metrics metrics;
  private final Signatures signatures;
  private final ConsumerService consumerService;
  private final TaskService taskService;
  private final WorkerService workerService;
  private final Optional<ScheduleService> scheduleService;
  private final HealthService health = new HealthService();
  private @Nullable Running running;
  private volatile int port = -1;

  /// Server without schedules.
  public GrpcServer(GrpcOptions options, CommandSink intake, Metrics metrics) {
    this(options, intake, Optional.empty(), metrics);
  }

  public GrpcServer(
      GrpcOptions options, CommandSink intake, Optional<Schedules> schedules, Metrics metrics) {
    this.options = options;
    this.metrics = metrics;
    this.signatures = new Signatures(options.secrets());
    var counts = new ServiceCounts(metrics);
    this.consumerService = new ConsumerService(options, intake, counts);
    this.taskService =
        new TaskService(intake, InstantSource.system(), counts, new EnqueueCounts(metrics));
    this.scheduleService = schedules.map(served -> new ScheduleService(served, counts));
    this.workerService =
        new WorkerService(
            intake,
            InstantSource.system(),
            counts,
            new WorkerOptions(
                host(options.address()),
                options.limits().requestBytes(),
                Duration.ofMillis(GRACE_MILLIS),
                new WorkerOptions.Counts(metrics)));
  }

  @Override
  public String name() {
    return "gRPC server";
  }

  /// Starts listening.
  ///
  /// @throws UncheckedIOException if the address cannot be bound
  @Override
  public synchronized void start() {
    Loops loops = Loops.open(options.loops());
    Connections connections =
        new Connections(loops.serving(), options.limits(), new ConnectionCounts(metrics));
    Server built = build(loops, connections);
    try {
      built.start();
    } catch (IOException e) {
      loops.close(0);
      throw new UncheckedIOException(
          "Cannot listen for gRPC on %s: %s"
              .formatted(text(options.address()), FailureText.ofRoot(e)),
          e);
    }
    running = new Running(built, loops, connections);
    port = built.getPort();
    LOGGER.info(
        "Listening for gRPC on port {} of {}, {}",
        port,
        host(options.address()),
        options.tls().isPresent() ? "TLS" : "plaintext");
  }

  /// Port that the server listens on.
  ///
  /// @throws IllegalStateException if the server was not started
  public int port() {
    if (port < 0) {
      throw new IllegalStateException("The gRPC server was not started: it has no port yet");
    }
    return port;
  }

  /// Connections on which workers asked for tasks, at most 1,000; none before the start.
  public synchronized List<PullWorker> pullWorkers() {
    return running == null ? List.of() : running.connections().pullWorkers(MAX_PULL_WORKERS);
  }

  /// Sets whether health checks respond with SERVING; initially they do not. Reports are accepted
  /// in either case (H25).
  public void setServing(boolean serving) {
    health.setServing(serving);
  }

  /// Stops accepting calls, gives pending calls 2 seconds to end, and fails the rest.
  @Override
  public synchronized void stop() {
    health.end();
    if (running != null) {
      running.stop();
      running = null;
    }
  }

  private Server build(Loops loops, Connections connections) {
    GrpcOptions.Limits limits = options.limits();
    NettyServerBuilder builder = NettyServerBuilder.forAddress(options.address());
    options.tls().ifPresent(builder::sslContext);
    scheduleService.ifPresent(service -> builder.addService(service.definition(signatures)));
    return builder
        .bossEventLoopGroup(loops.accepting())
        .workerEventLoopGroup(loops.serving())
        .channelFactory(ConnectionLimit.listening(connections, limits))
        .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
        // A connection that sends much must not delay the others for long.
        .withChildOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new AdaptiveRecvByteBufAllocator(512, 2_048, READ_BYTES).maxMessagesPerRead(READS))
        .addTransportFilter(connections)
        .directExecutor()
        .maxInboundMessageSize(limits.requestBytes())
        .maxInboundMetadataSize(METADATA_BYTES)
        .maxConcurrentCallsPerConnection(limits.callsPerConnection())
        .neverIndexMetadataKey(Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER))
        .handshakeTimeout(limits.patience().toMillis(), MILLISECONDS)
        .maxConnectionIdle(limits.idle().toMillis(), MILLISECONDS)
        // Counts resets that malformed calls provoke, too, which only the library sees.
        .maxRstFramesPerWindow(RESETS, RESETS_SECONDS)
        // Detects vanished peers, whose connections would count indefinitely.
        .keepAliveTime(60, SECONDS)
        .keepAliveTimeout(20, SECONDS)
        // Python workers may ping often, even without calls.
        .permitKeepAliveTime(5, SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addService(consumerService.definition(signatures))
        .addService(taskService.definition(signatures))
        .addService(workerService.definition(signatures))
        .addService(ServerInterceptors.intercept(health, new HealthCalls(metrics)))
        .build();
  }

  private static String text(InetSocketAddress address) {
    return host(address) + ":" + address.getPort();
  }

  private static String host(InetSocketAddress address) {
    String host = address.getHostString();
    return host.contains(":") ? "[" + host + "]" : host;
  }

  /// Separate loops for accepting and serving connections: a peer that connects continuously delays
  /// no call.
  private record Loops(EventLoopGroup accepting, EventLoopGroup serving) {
    static Loops open(int threads) {
      return new Loops(EventLoops.open("grpc-accept", 1), EventLoops.open("grpc-server", threads));
    }

    void close(long graceMillis) {
      var _ = accepting.shutdownGracefully(0, graceMillis, MILLISECONDS);
      serving.shutdownGracefully(0, graceMillis, MILLISECONDS).awaitUninterruptibly(graceMillis);
    }
  }

  private record Running(Server server, Loops loops, Connections connections) {
    void stop() {
      connections.calls().forEach(calls -> calls.run(calls::drainAll));
      server.shutdown();
      if (!awaitEnd(GRACE_MILLIS)) {
        connections.calls().forEach(calls -> calls.run(() -> calls.failAll(STOPPING)));
        awaitEnd(FAIL_MILLIS);
        server.shutdownNow();
      }
      loops.close(GRACE_MILLIS);
    }

    private boolean awaitEnd(long millis) {
      try {
        return server.awaitTermination(millis, MILLISECONDS);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }
}
