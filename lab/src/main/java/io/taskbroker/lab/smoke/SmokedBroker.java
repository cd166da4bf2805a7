package io.taskbroker.lab.smoke;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Broker that another command started: perhaps a sandbox, of which the broker is the innermost
/// child. Signals go to that child. Used by one thread.
final class SmokedBroker implements AutoCloseable {
  private static final long LOOK_MILLIS = 5;
  private static final int LOG_LINES = 20;
  private static final int OK = 200;
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(15);

  private final Process command;
  private final Path log;

  private SmokedBroker(Process command, Path log) {
    this.command = command;
    this.log = log;
  }

  static SmokedBroker start(List<String> command, Map<String, String> environment, Path log) {
    var builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    builder.environment().putAll(environment);
    try {
      return new SmokedBroker(builder.start(), log);
    } catch (IOException e) {
      throw new IllegalStateException("Could not start " + command.getFirst() + ": " + e, e);
    }
  }

  /// Waits until `/health` beside the metrics answers 200.
  void awaitReady(int metricsPort, Duration timeout) throws InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + metricsPort + "/health"))
            .timeout(timeout)
            .build();
    try (var client = HttpClient.newHttpClient()) {
      await("is not healthy", timeout, () -> isHealthy(client, request));
    }
  }

  /// @throws IllegalStateException if the process ends or the timeout expires
  void await(String failure, Duration timeout, BooleanSupplier condition)
      throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!condition.getAsBoolean()) {
      if (command.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw failure("ended with code " + command.exitValue());
      }
      if (System.nanoTime() - deadline >= 0) {
        throw failure(failure + " within " + timeout.toSeconds() + " s");
      }
    }
  }

  /// Processor time that the broker's process has used.
  long cpuMillis() {
    return broker().info().totalCpuDuration().map(Duration::toMillis).orElse(0L);
  }

  /// Resident memory of the broker's process.
  long residentKilobytes() {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(broker().pid()), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read the memory of the broker", e);
    }
  }

  /// Sends SIGTERM and returns how many milliseconds the broker took to end.
  ///
  /// @throws IllegalStateException if it ends with another code than 0, or not in time
  long stop() throws InterruptedException {
    long start = System.nanoTime();
    broker().destroy();
    if (!command.waitFor(STOP_TIMEOUT.toMillis(), TimeUnit.MILLISECONDS)) {
      throw failure("did not stop within " + STOP_TIMEOUT.toSeconds() + " s of SIGTERM");
    }
    if (command.exitValue() != 0) {
      throw failure("ended with code " + command.exitValue() + " after SIGTERM");
    }
    return Duration.ofNanos(System.nanoTime() - start).toMillis();
  }

  @Override
  public void close() {
    command.descendants().forEach(ProcessHandle::destroyForcibly);
    command.destroyForcibly();
  }

  /// The innermost process: the one without children.
  private ProcessHandle broker() {
    ProcessHandle process = command.toHandle();
    for (var child = process.children().findFirst();
        child.isPresent();
        child = process.children().findFirst()) {
      process = child.get();
    }
    return process;
  }

  private static boolean isHealthy(HttpClient client, HttpRequest request) {
    try {
      return client.send(request, BodyHandlers.discarding()).statusCode() == OK;
    } catch (IOException _) {
      return false;
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private IllegalStateException failure(String what) {
    return new IllegalStateException(
        "The broker " + what + "; its log " + log + " ends with:\n" + logEnd());
  }

  private String logEnd() {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
      return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }
}
