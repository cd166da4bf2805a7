package io.taskbroker.admin;

import io.taskbroker.admin.web.Sessions;
import io.taskbroker.admin.web.Trend;
import io.taskbroker.admin.web.WebPage;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EngineStats;
import io.taskbroker.inflight.api.Pauses;
import io.taskbroker.payload.Redaction;
import io.taskbroker.rules.OperatorRules;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.schedule.Schedules;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.tls.TlsContext;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.server.ConnectionFactory;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.SecureRequestCustomizer;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.SslConnectionFactory;
import org.eclipse.jetty.server.handler.DoSHandler;
import org.eclipse.jetty.util.ssl.SslContextFactory;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

/// HTTP server of the admin API: Jetty's core, with one selector and virtual threads (ADR 21).
/// Bounded in connections, header and body size, time and rate (G7). Thread-safe.
public final class AdminServer implements Service {
  private static final Logger log = LoggerFactory.getLogger(AdminServer.class);
  static final int MAX_CONNECTIONS = 128;
  static final int BACKLOG = 64;
  private static final int HEADER_BYTES = 16 << 10;
  private static final int MAX_PEERS = 1_000;
  private static final int THREADS = 8;
  private static final Duration IDLE = Duration.ofSeconds(20);
  private static final Duration LONGEST = Duration.ofSeconds(40);
  private static final Duration STOP = Duration.ofSeconds(1);
  private static final long SAMPLE_SECONDS = 5;

  private final InetSocketAddress address;
  private final Optional<TlsContext> tls;
  private final AuditLog audit;
  private final RowBrowser rows;
  private final AdminHandler handler;
  private final int requestsPerSecond;
  private final LoopThread samples;
  private final WebPage page;
  private final ReplayJobs jobs = new ReplayJobs(InstantSource.system());
  private @Nullable Running running;

  private record Running(Server server, ServerConnector connector, ExecutorService handlers) {}

  /// Files of the API.
  ///
  /// @param audit record of acts
  /// @param pauses pauses in force
  public record FilesOf(Path audit, Path pauses) {}

  /// Parts of the broker that the API shows and acts on.
  ///
  /// @param rows closed when the server stops
  public record Parts(
      CommandSink engine,
      RowBrowser rows,
      OperatorRules rules,
      Schedules schedules,
      BrokerStatus status) {}

  /// @param config has an admin address
  /// @param loaded the pauses that the engine started with
  /// @throws IllegalArgumentException if the file of tokens is invalid
  public AdminServer(
      BrokerConfig config,
      Optional<TlsContext> tls,
      FilesOf files,
      Pauses loaded,
      Parts parts,
      FailureSink failures) {
    RowBrowser rows = parts.rows();
    Schedules schedules = parts.schedules();
    BrokerStatus status = parts.status();
    OperatorRules operatorRules = parts.rules();
    this.address = config.admin().address().orElseThrow();
    this.tls = tls;
    this.rows = rows;
    this.requestsPerSecond = config.admin().requestsPerSecond();
    JsonMapper json = ApiJson.mapper();
    this.audit = new AuditLog(files.audit(), json);
    var queries = new EngineQueries(parts.engine());
    var pauses = new PauseBook(new PauseFile(files.pauses()), queries, loaded);
    var rates = new Rates();
    var latencies = new Latencies();
    var reads = new ReadApi(queries, rows, status, config, rates, latencies, pauses);
    var sessions = new Sessions(InstantSource.system());
    var authenticator = new Authenticator(config.admin(), sessions);
    var trend = new Trend();
    this.page =
        new WebPage(
            new PageBridge(authenticator, reads, json),
            sessions,
            trend,
            new WebPage.Facts(config.admin().tokens().isPresent(), config.admin().readOnly()),
            json);
    var ruleset = new RulesApi(operatorRules, status, rows);
    var fleet =
        new FleetApi(
            queries,
            rows,
            status,
            config,
            new Backlogs(rows, rates),
            new AuditPages(files.audit(), json));
    var scheduleApi =
        new ScheduleApi(
            schedules,
            new ScheduleViews(
                new ScheduleDefinitions(new Redaction(config.admin().redact()), json)));
    this.handler =
        new AdminHandler(
            authenticator,
            routes(
                config,
                queries,
                rows,
                reads,
                pauses,
                List.of(
                    new WorkerApi(reads, queries, status).routes(),
                    ruleset.routes(),
                    fleet.routes(),
                    scheduleApi.routes())),
            audit,
            () -> new Views.Before(pauses.view().pauses(), ruleset.view().version()),
            json,
            page,
            config.admin().readOnly());
    this.samples =
        new LoopThread(
            "admin-samples",
            () -> {
              try {
                EngineStats stats = queries.stats();
                rates.add(stats, System.nanoTime());
                latencies.add(status.waiting(), status.running(), System.nanoTime());
                trend.add(point(stats, latencies.view()));
              } catch (ApiProblem _) {
                // The engine is busy: the next sample may tell.
              }
              TimeUnit.SECONDS.sleep(SAMPLE_SECONDS);
            },
            failures);
  }

  private static Trend.Point point(EngineStats stats, Views.Latency latency) {
    var total = Rates.total(stats);
    return new Trend.Point(
        System.currentTimeMillis(),
        total.completed(),
        total.failed(),
        total.retried(),
        total.deadLettered(),
        stats.pending(),
        stats.claimed() + stats.processing(),
        Math.max(0, stats.oldestMillis()) / 1_000.0,
        latency.waiting().p99Seconds().orElse(0.0),
        latency.running().p99Seconds().orElse(0.0));
  }

  private List<Route> routes(
      BrokerConfig config,
      EngineQueries queries,
      RowBrowser rows,
      ReadApi reads,
      PauseBook pauses,
      List<List<Route>> more) {
    var redaction = new Redaction(config.admin().redact());
    var letters = new DeadLetterApi(config.kafka(), redaction, jobs);
    var replays = new ReplayApi(config.kafka(), redaction, jobs, letters);
    List<Route> routes = new ArrayList<>(reads.routes());
    routes.addAll(new FinishedApi(rows).routes());
    more.forEach(routes::addAll);
    routes.addAll(new ActApi(queries, reads, pauses).routes());
    routes.addAll(letters.routes());
    routes.addAll(replays.routes());
    routes.add(OpenApi.route(routes));
    return routes;
  }

  @Override
  public String name() {
    return "admin server";
  }

  /// @throws UncheckedIOException if the address cannot be bound
  @Override
  public synchronized void start() {
    var handlers =
        Executors.newThreadPerTaskExecutor(Thread.ofVirtual().name("admin-", 0).factory());
    var threads = new QueuedThreadPool(THREADS, 1);
    threads.setName("admin-http");
    threads.setDaemon(true);
    threads.setReservedThreads(0);
    threads.setVirtualThreadsExecutor(handlers);
    var server = new Server(threads);
    ServerConnector connector = connector(server);
    server.addConnector(connector);
    server.addBean(new NetworkConnectionLimit(MAX_CONNECTIONS, connector));
    server.setErrorHandler((_, response, callback) -> {
      handler.refuse(response, callback, response.getStatus());
      return true;
    });
    server.setHandler(
        new DoSHandler(
            handler,
            Request::getRemoteAddr,
            new DoSHandler.LeakingBucketTrackerFactory(requestsPerSecond),
            (_, response, callback) -> {
              handler.refuse(response, callback, 429);
              return true;
            },
            MAX_PEERS));
    server.setStopTimeout(STOP.toMillis());
    try {
      server.start();
    } catch (Exception e) {
      stop(server, handlers);
      throw new UncheckedIOException(
          "Cannot serve the admin API on "
              + address.getHostString()
              + ":"
              + address.getPort()
              + " (admin.addr): "
              + e.getMessage(),
          e instanceof IOException io ? io : new IOException(e));
    }
    running = new Running(server, connector, handlers);
    samples.start();
    log.info(
        "The admin API is served at {}://{}:{}/v1/overview, its web page at /ui/",
        tls.isPresent() ? "https" : "http",
        address.getHostString(),
        connector.getLocalPort());
  }

  private ServerConnector connector(Server server) {
    var http = new HttpConfiguration();
    http.setRequestHeaderSize(HEADER_BYTES);
    http.setSendServerVersion(false);
    http.setSendDateHeader(false);
    // So that the time of a connection is the time of its request.
    http.setPersistentConnectionsEnabled(false);
    http.setIdleTimeout(IDLE.toMillis());
    http.setUriCompliance(
        UriCompliance.DEFAULT.with(
            "ids",
            UriCompliance.Violation.AMBIGUOUS_PATH_SEPARATOR,
            UriCompliance.Violation.AMBIGUOUS_PATH_ENCODING));
    List<ConnectionFactory> factories = new ArrayList<>();
    var plain = new HttpConnectionFactory(http);
    tls.ifPresent(context -> {
      var secure = new SecureRequestCustomizer(false);
      http.addCustomizer(secure);
      factories.add(new SslConnectionFactory(new EngineFactory(context), plain.getProtocol()));
    });
    factories.add(plain);
    var connector =
        new ServerConnector(
            server, null, null, null, 0, 1, factories.toArray(ConnectionFactory[]::new));
    String host = address.getHostString();
    connector.setHost(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
    connector.setPort(address.getPort());
    connector.setAcceptQueueSize(BACKLOG);
    connector.setIdleTimeout(IDLE.toMillis());
    connector.addBean(
        new Connection.Listener() {
          @Override
          public void onOpened(Connection connection) {
            var _ =
                connector
                    .getScheduler()
                    .schedule(connection::close, LONGEST.toMillis(), TimeUnit.MILLISECONDS);
          }
        });
    return connector;
  }

  /// Engines of the current files of a [TlsContext].
  private static final class EngineFactory extends SslContextFactory.Server {
    private final TlsContext context;

    EngineFactory(TlsContext context) {
      this.context = context;
      try {
        setSslContext(SSLContext.getDefault()); // never used: each engine is the context's
      } catch (NoSuchAlgorithmException e) {
        throw new IllegalStateException(e);
      }
    }

    /// The context's own protocols and ciphers are used.
    @Override
    protected void checkConfiguration() {}

    @Override
    public SSLEngine newSSLEngine() {
      return context.newEngine();
    }

    @Override
    public SSLEngine newSSLEngine(String host, int port) {
      return context.newEngine();
    }

    @Override
    public SSLEngine newSSLEngine(InetSocketAddress peer) {
      return context.newEngine();
    }

    @Override
    public void customize(SSLEngine engine) {
      engine.setUseClientMode(false);
    }
  }

  /// Port of the listener; -1 if there is none.
  public synchronized int port() {
    return running == null ? -1 : running.connector().getLocalPort();
  }

  /// Operations that are served.
  List<Route> operations() {
    return handler.operations();
  }

  /// Number of open connections.
  synchronized int connections() {
    return running == null ? 0 : running.connector().getConnectedEndPoints().size();
  }

  @Override
  public synchronized void stop() {
    Running stopping = running;
    running = null;
    page.close();
    jobs.close();
    boolean _ = samples.stop(STOP);
    if (stopping != null) {
      stop(stopping.server(), stopping.handlers());
    }
    rows.close();
    audit.close();
  }

  private static void stop(Server server, ExecutorService handlers) {
    try {
      server.stop();
    } catch (Exception e) {
      log.warn("The admin API did not stop in order: {}", e.toString());
    }
    handlers.shutdownNow();
  }
}
