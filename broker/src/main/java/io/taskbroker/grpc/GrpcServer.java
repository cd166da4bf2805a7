package io.taskbroker.grpc;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerInterceptors;
import io.grpc.Status;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.taskbroker.inflight.Intake;
import io.taskbroker.runtime.Service;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.wire.Signatures;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The gRPC server that workers call: `ConsumerService` and health on one port, in plaintext or TLS
/// (reference-spec 2.4 to 2.7). One event loop serves everything and never waits. Thread-safe.
public final class GrpcServer implements Service {
  private static final Logger LOGGER = LoggerFactory.getLogger(GrpcServer.class);
  private static final int METADATA_BYTES = 16 << 10;
  private static final int BACKLOG = 1_024;
  private static final long GRACE_MILLIS = 2_000;
  private static final long LAST_WORDS_MILLIS = 500;
  private static final Status STOPPING = Status.UNAVAILABLE.withDescription("The broker stops");

  /// What the library says of malformed requests and connections, each with a stack trace: anybody
  /// could fill the log.
  private static final List<java.util.logging.Logger> NOISE =
      Stream.of("NettyServerStream", "NettyServerHandler", "NettyServerTransport.connections")
          .map(name -> java.util.logging.Logger.getLogger("io.grpc.netty." + name))
          .toList();

  static {
    NOISE.forEach(logger -> logger.setLevel(java.util.logging.Level.SEVERE));
  }

  private final GrpcOptions options;
  private final Metrics metrics;
  private final Signatures signatures;
  private final ConsumerService consumerService;
  private final HealthService health = new HealthService();
  private @Nullable Running running;
  private volatile int port = -1;

  public GrpcServer(GrpcOptions options, Intake intake, Metrics metrics) {
    this.options = options;
    this.metrics = metrics;
    this.signatures = new Signatures(options.secrets());
    this.consumerService = new ConsumerService(options, intake, new ServiceCounts(metrics));
  }

  @Override
  public String name() {
    return "gRPC server";
  }

  /// Listens.
  ///
  /// @throws UncheckedIOException if the address cannot be listened on
  @Override
  public synchronized void start() {
    EventLoopGroup group = EventLoops.open("grpc-server");
    RunningCalls calls = new RunningCalls(group.next(), options.limits().patience());
    Server built = build(group, calls);
    try {
      built.start();
    } catch (IOException e) {
      var _ = group.shutdownGracefully(0, 0, SECONDS);
      throw new UncheckedIOException(
          "Cannot listen for gRPC on %s: %s".formatted(text(options.address()), reason(e)), e);
    }
    running = new Running(built, group, calls);
    port = built.getPort();
    LOGGER.info(
        "Listening for gRPC on port {} of {}, {}",
        port,
        host(options.address()),
        options.tls().isPresent() ? "TLS" : "plaintext");
  }

  /// The port that is listened on.
  ///
  /// @throws IllegalStateException if the server was not started
  public int port() {
    if (port < 0) {
      throw new IllegalStateException("The gRPC server was not started: it has no port yet");
    }
    return port;
  }

  /// Whether health checks are answered with SERVING; they are not before this is called. Reports
  /// are served either way (H25).
  public void setServing(boolean serving) {
    health.setServing(serving);
  }

  /// Accepts nothing more, gives the calls that run 2 seconds to end, and fails the rest.
  @Override
  public synchronized void stop() {
    health.end();
    if (running != null) {
      running.stop();
      running = null;
    }
  }

  private Server build(EventLoopGroup group, RunningCalls calls) {
    GrpcOptions.Limits limits = options.limits();
    NettyServerBuilder builder = NettyServerBuilder.forAddress(options.address());
    options.tls().ifPresent(builder::sslContext);
    return builder
        .bossEventLoopGroup(group)
        .workerEventLoopGroup(group)
        .channelFactory(EventLoops.listening(limits.connections()))
        .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
        .directExecutor()
        .maxInboundMessageSize(limits.requestBytes())
        .maxInboundMetadataSize(METADATA_BYTES)
        .maxConcurrentCallsPerConnection(limits.callsPerConnection())
        .neverIndexMetadataKey(Metadata.Key.of(Signatures.HEADER, Metadata.ASCII_STRING_MARSHALLER))
        .handshakeTimeout(limits.patience().toMillis(), MILLISECONDS)
        // Finds peers that vanished, whose connections would count for ever.
        .keepAliveTime(60, SECONDS)
        .keepAliveTimeout(20, SECONDS)
        // Python workers may be set up to ping often, also while they run nothing.
        .permitKeepAliveTime(5, SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addService(consumerService.definition(signatures, calls))
        .addService(ServerInterceptors.intercept(health, new CountedCalls(metrics)))
        .build();
  }

  private static String text(InetSocketAddress address) {
    return host(address) + ":" + address.getPort();
  }

  private static String host(InetSocketAddress address) {
    String host = address.getHostString();
    return host.contains(":") ? "[" + host + "]" : host;
  }

  private static String reason(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  private record Running(Server server, EventLoopGroup loops, RunningCalls calls) {
    void stop() {
      server.shutdown();
      if (!awaitEnd(GRACE_MILLIS)) {
        calls.run(() -> calls.failAll(STOPPING));
        awaitEnd(LAST_WORDS_MILLIS);
        server.shutdownNow();
      }
      loops.shutdownGracefully(0, GRACE_MILLIS, MILLISECONDS).awaitUninterruptibly(GRACE_MILLIS);
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
