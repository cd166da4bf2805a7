package io.taskbroker.telemetry;

import static java.util.concurrent.TimeUnit.MILLISECONDS;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthReport;
import io.taskbroker.runtime.Service;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// HTTP server for `GET /metrics` (Prometheus), `GET /health` and `/readyz`: 200 while the broker
/// is ready, else 503, and `/livez`: 503 if only a restart helps. Plain HTTP/1.1 on one event loop,
/// so that no client can block another (ADR 13); bounded in connections, request size and time
/// (G7). Thread-safe.
public final class MetricsServer implements Service {
  private static final Logger log = LoggerFactory.getLogger(MetricsServer.class);
  private static final int BACKLOG = 128;
  private static final int LINE_CHARS = 2_048;
  private static final int HEADER_BYTES = 8_192;
  private static final int STOP_MILLIS = 1_000;

  /// Limits of the server.
  ///
  /// @param connections maximum number of connections; one more closes the oldest connection of the
  ///   peer that has most
  /// @param perPeer maximum number of connections of one peer; one more closes its oldest
  /// @param request maximum time from accept to the first request
  /// @param idle maximum time from a response to the next request of the connection
  /// @param answer maximum time until a response is read
  record Limits(int connections, int perPeer, Duration request, Duration idle, Duration answer) {
    static final Limits DEFAULTS =
        new Limits(256, 64, Duration.ofSeconds(5), Duration.ofSeconds(60), Duration.ofSeconds(10));
  }

  private final Metrics metrics;
  private final InetSocketAddress address;
  private final boolean required;
  private final Limits limits;
  private @Nullable Running running;
  private volatile HealthReport health = starting();

  /// @param address may be unresolved; port 0 picks a free port
  /// @param required true: failure to bind is an error; false: it is a warning, and nothing is
  ///   served
  public MetricsServer(Metrics metrics, InetSocketAddress address, boolean required) {
    this(metrics, address, required, Limits.DEFAULTS);
  }

  MetricsServer(Metrics metrics, InetSocketAddress address, boolean required, Limits limits) {
    this.metrics = metrics;
    this.address = address;
    this.required = required;
    this.limits = limits;
  }

  @Override
  public String name() {
    return "metrics server";
  }

  /// Binds the address.
  ///
  /// @throws UncheckedIOException if the address is required and cannot be bound
  @Override
  public synchronized void start() {
    String where = address.getHostString() + ":" + address.getPort();
    try {
      running = listen();
      log.info("Metrics are served at http://{}:{}/metrics", address.getHostString(), port());
    } catch (IOException e) {
      if (required) {
        throw new UncheckedIOException(
            "Cannot serve metrics on " + where + " (metrics_addr): " + e.getMessage(), e);
      }
      log.warn(
          "Metrics are not served: cannot listen on {}: {}. Set metrics_addr to another"
              + " address, or to port 0 to disable the endpoint",
          where,
          e.getMessage());
    }
  }

  private Running listen() throws IOException {
    var resolved = new InetSocketAddress(address.getHostString(), address.getPort());
    if (resolved.isUnresolved()) {
      throw new IOException("the host is not known");
    }
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("metrics-http", true), NioIoHandler.newFactory());
    var pages = new MetricsPages(metrics, this::health);
    ChannelFuture bound = bootstrap(loops, pages).bind(resolved).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      var _ = loops.shutdownGracefully(0, 0, MILLISECONDS);
      throw new IOException(bound.cause().getMessage(), bound.cause());
    }
    return new Running(bound.channel(), loops, pages);
  }

  private ServerBootstrap bootstrap(EventLoopGroup loops, MetricsPages pages) {
    var connections = new HttpConnections(limits.connections(), limits.perPeer());
    HttpDecoderConfig requests =
        new HttpDecoderConfig().setMaxInitialLineLength(LINE_CHARS).setMaxHeaderSize(HEADER_BYTES);
    return new ServerBootstrap()
        .group(loops)
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_BACKLOG, BACKLOG)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel connection) {
                connections.opened(connection);
                connection
                    .pipeline()
                    .addLast(new HttpServerCodec(requests), new HttpConnection(pages, limits));
              }
            });
  }

  /// Port of the listener; -1 if there is none.
  public synchronized int port() {
    return running == null ? -1 : ((InetSocketAddress) running.server.localAddress()).getPort();
  }

  /// Replaces the report that `/health`, `/readyz` and `/livez` answer with.
  public void setHealth(HealthReport report) {
    health = report;
  }

  /// The latest report; neither live nor ready if it is stale.
  private HealthReport health() {
    HealthReport report = health;
    long age = System.nanoTime() - report.takenAt();
    if (isStarting(report) || age < HealthReport.STALE_AFTER.toNanos()) {
      return report;
    }
    long seconds = TimeUnit.NANOSECONDS.toSeconds(age);
    var stale =
        new Condition(
            Condition.Kind.STAGE_STUCK,
            "watchdog",
            "it has not checked the stages for " + seconds + " s");
    return new HealthReport(
        false,
        false,
        report.takenAt(),
        List.of(
            new HealthReport.Entry(stale, System.currentTimeMillis() - seconds * 1_000, seconds)));
  }

  private static boolean isStarting(HealthReport report) {
    return report.entries().stream()
        .anyMatch(entry -> entry.condition().kind() == Condition.Kind.STARTING);
  }

  private static HealthReport starting() {
    var condition =
        new Condition(Condition.Kind.STARTING, "broker", "the stages are being started");
    return new HealthReport(
        true,
        false,
        System.nanoTime(),
        List.of(new HealthReport.Entry(condition, System.currentTimeMillis(), 0)));
  }

  @Override
  public synchronized void stop() {
    if (running != null) {
      running.server.close().awaitUninterruptibly(STOP_MILLIS);
      running.loops.execute(running.pages::close);
      running
          .loops
          .shutdownGracefully(0, STOP_MILLIS, MILLISECONDS)
          .awaitUninterruptibly(STOP_MILLIS);
      running = null;
    }
  }

  private record Running(Channel server, EventLoopGroup loops, MetricsPages pages) {}
}
