package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.OpenMetricsTextFormatWriter;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.taskbroker.runtime.Service;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Serves `GET /metrics` to Prometheus, and `GET /health`: 200 while the broker is ready, 503 while
/// it is not. Plain HTTP; bounded in connections, threads and the time of a request (G7).
/// Thread-safe.
public final class MetricsServer implements Service {
  private static final Logger log = LoggerFactory.getLogger(MetricsServer.class);
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final int THREADS = 2;
  private static final int MAX_WAITING = 16;

  static {
    // Read once, by the class that serves.
    limit("sun.net.httpserver.maxReqTime", "5");
    limit("sun.net.httpserver.maxRspTime", "10");
    limit("jdk.httpserver.maxConnections", "64");
  }

  private final Metrics metrics;
  private final InetSocketAddress address;
  private final boolean required;
  private @Nullable Running running;
  private volatile boolean ready;

  /// @param address need not be resolved; port 0 for any that is free
  /// @param required whether it is an error if the address cannot be listened on; else it is a
  ///   warning, and nothing is served
  public MetricsServer(Metrics metrics, InetSocketAddress address, boolean required) {
    this.metrics = metrics;
    this.address = address;
    this.required = required;
  }

  @Override
  public String name() {
    return "metrics server";
  }

  /// Listens.
  ///
  /// @throws UncheckedIOException if that is required and cannot be
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
          "Metrics are not served, as {} cannot be listened on: {}. Set metrics_addr to another"
              + " address, or to port 0 for none",
          where,
          e.getMessage());
    }
  }

  private Running listen() throws IOException {
    var resolved = new InetSocketAddress(address.getHostString(), address.getPort());
    if (resolved.isUnresolved()) {
      throw new IOException("the host is not known");
    }
    HttpServer server = HttpServer.create(resolved, MAX_WAITING);
    var threads =
        new ThreadPoolExecutor(
            THREADS,
            THREADS,
            10,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(MAX_WAITING),
            Thread.ofPlatform().name("metrics-http-", 1).daemon().factory());
    threads.allowCoreThreadTimeOut(true);
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
    return new Running(server, threads);
  }

  /// The port that is listened on; -1 if none is.
  public synchronized int port() {
    return running == null ? -1 : running.server.getAddress().getPort();
  }

  public void setReady(boolean now) {
    ready = now;
  }

  @Override
  public synchronized void stop() {
    if (running != null) {
      running.server.stop(0);
      running.threads.shutdownNow();
      running = null;
    }
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      String method = exchange.getRequestMethod();
      if (!method.equals("GET") && !method.equals("HEAD")) {
        exchange.getResponseHeaders().set("Allow", "GET, HEAD");
        send(exchange, 405, TEXT, "Only GET\n".getBytes(UTF_8));
        return;
      }
      switch (exchange.getRequestURI().getPath()) {
        case "/metrics" -> sendMetrics(exchange);
        case "/health" -> {
          boolean good = ready;
          send(
              exchange, good ? 200 : 503, TEXT, (good ? "ready\n" : "not ready\n").getBytes(UTF_8));
        }
        case null, default ->
            send(exchange, 404, TEXT, "There are /metrics and /health\n".getBytes(UTF_8));
      }
    } catch (RuntimeException e) {
      log.warn("Cannot answer a request of {}", exchange.getRequestURI().getPath(), e);
    }
  }

  private void sendMetrics(HttpExchange exchange) throws IOException {
    String accepted = exchange.getRequestHeaders().getFirst("Accept");
    var openMetrics = OpenMetricsTextFormatWriter.create();
    var text = PrometheusTextFormatWriter.create();
    var writer = openMetrics.accepts(accepted) ? openMetrics : text;
    var body = new ByteArrayOutputStream(32 << 10);
    writer.write(body, metrics.scrape(), EscapingScheme.ALLOW_UTF8);
    send(exchange, 200, writer.getContentType(), body.toByteArray());
  }

  private static void send(HttpExchange exchange, int code, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(code, head ? -1 : body.length);
    if (!head) {
      exchange.getResponseBody().write(body);
    }
  }

  private static void limit(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  private record Running(HttpServer server, ThreadPoolExecutor threads) {}
}
