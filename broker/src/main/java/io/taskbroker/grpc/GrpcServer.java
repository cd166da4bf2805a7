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
import io.taskbroker.inflight.CommandSink;
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
/// (reference-spec 2.4 to 2.7). Few event loops serve everything and never wait; a connection stays
/// with one of them. Thread-safe.
public final class GrpcServer implements Service {
  private static final Logger LOGGER = LoggerFactory.getLogger(GrpcServer.class);
  private static final int METADATA_BYTES = 16 << 10;
  private static final int BACKLOG = 1_024;
  private static final int READ_BYTES = 16 << 10;
  private static final int READS = 4;
  private static final int RESETS = 2_048;
  private static final int RESETS_SECONDS = 10;
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

  public GrpcServer(GrpcOptions options, CommandSink intake, Metrics metrics) {
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
    Loops loops = Loops.open(options.loops());
    Connections connections =
        new Connections(loops.serving(), options.limits(), new ConnectionCounts(metrics));
    Server built = build(loops, connections);
    try {
      built.start();
    } catch (IOException e) {
      loops.close(0);
      throw new UncheckedIOException(
          "Cannot listen for gRPC on %s: %s".formatted(text(options.address()), reason(e)), e);
    }
    running = new Running(built, loops, connections);
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

  private Server build(Loops loops, Connections connections) {
    GrpcOptions.Limits limits = options.limits();
    NettyServerBuilder builder = NettyServerBuilder.forAddress(options.address());
    options.tls().ifPresent(builder::sslContext);
    return builder
        .bossEventLoopGroup(loops.accepting())
        .workerEventLoopGroup(loops.serving())
        .channelFactory(EventLoops.listening(connections, limits))
        .withOption(ChannelOption.SO_BACKLOG, BACKLOG)
        // One connection that sends much does not hold the others up for long.
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
        // Resets that a malformed call provokes count, too, which only the library sees.
        .maxRstFramesPerWindow(RESETS, RESETS_SECONDS)
        // Finds peers that vanished, whose connections would count for ever.
        .keepAliveTime(60, SECONDS)
        .keepAliveTimeout(20, SECONDS)
        // Python workers may be set up to ping often, also while they run nothing.
        .permitKeepAliveTime(5, SECONDS)
        .permitKeepAliveWithoutCalls(true)
        .addService(consumerService.definition(signatures))
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

  private static String reason(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  /// The loop that accepts connections, and those that serve them: a peer that connects without end
  /// keeps no call waiting.
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
      server.shutdown();
      if (!awaitEnd(GRACE_MILLIS)) {
        connections.calls().forEach(calls -> calls.run(() -> calls.failAll(STOPPING)));
        awaitEnd(LAST_WORDS_MILLIS);
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
