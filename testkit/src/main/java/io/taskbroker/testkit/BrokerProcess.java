package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.NettyChannelBuilder;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// Broker in a separate process that can be stopped, killed, frozen and restarted on the same port.
/// Not thread-safe, except for [#isAlive] and [#close].
public final class BrokerProcess implements AutoCloseable {
  private static final long LOOK_MILLIS = 25;
  private static final int CONNECT_MILLIS = 1_000;
  private static final long CHECK_SECONDS = 2;
  private static final long KILL_SECONDS = 10;
  private static final int LOG_LINES = 20;

  private final BrokerLaunch launch;
  private final Process process;

  private BrokerProcess(BrokerLaunch launch, Process process) {
    this.launch = launch;
    this.process = process;
  }

  /// Starts the process without waiting for anything.
  public static BrokerProcess start(BrokerLaunch launch) {
    var builder =
        new ProcessBuilder(launch.command())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(launch.log().toFile()));
    builder.environment().putAll(launch.environment());
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      return new BrokerProcess(launch, process);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start " + launch, e);
    }
  }

  /// `host:port` of the broker's gRPC services.
  public String address() {
    return Ports.HOST + ":" + launch.port();
  }

  public long pid() {
    return process.pid();
  }

  public boolean isAlive() {
    return process.isAlive();
  }

  /// The exit code; empty while the process is alive. A JVM killed by a signal has 128 + its
  /// number.
  public OptionalInt exitCode() {
    return process.isAlive() ? OptionalInt.empty() : OptionalInt.of(process.exitValue());
  }

  /// Waits until the broker's health service reports SERVING.
  ///
  /// @throws IllegalStateException with the end of the log, if the process ends or the timeout
  ///   expires
  public BrokerProcess awaitServing(Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    awaitPort(timeout);
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(Ports.address(launch.port())).usePlaintext().build();
    try {
      await("did not serve", deadline, () -> serves(channel));
    } finally {
      channel.shutdownNow();
    }
    return this;
  }

  /// Waits until the broker's port accepts connections.
  ///
  /// @throws IllegalStateException with the end of the log, if the process ends or the timeout
  ///   expires
  public BrokerProcess awaitPort(Duration timeout) throws InterruptedException {
    await("did not listen", System.nanoTime() + timeout.toNanos(), this::listens);
    return this;
  }

  /// SIGKILL; returns when the process is gone.
  public void kill() {
    process.destroyForcibly();
    try {
      if (!process.waitFor(KILL_SECONDS, TimeUnit.SECONDS)) {
        throw new IllegalStateException("Process " + pid() + " outlived SIGKILL");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while killing process " + pid(), e);
    }
  }

  /// SIGTERM; returns the exit code.
  ///
  /// @throws IllegalStateException if the process did not end in time; it is then killed
  public int stop(Duration timeout) throws InterruptedException {
    process.destroy();
    return awaitEnd(timeout);
  }

  /// SIGINT, as Ctrl-C sends it, or SIGTERM if the process ignores SIGINT; returns the exit code.
  ///
  /// @throws IllegalStateException if the process did not end in time; it is then killed
  public int interrupt(Duration timeout) throws InterruptedException {
    signal(ignoresInterrupts() ? "TERM" : "INT");
    return awaitEnd(timeout);
  }

  /// Background jobs of a script ignore SIGINT, and so do their children.
  private boolean ignoresInterrupts() {
    Path status = Path.of("/proc", Long.toString(pid()), "status");
    try {
      return Files.exists(status)
          && Files.readAllLines(status).stream()
              .filter(line -> line.startsWith("SigIgn:"))
              .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 2) != 0);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read the signals of process " + pid(), e);
    }
  }

  private int awaitEnd(Duration timeout) throws InterruptedException {
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      kill();
      throw new IllegalStateException(
          "Process " + pid() + " did not stop within " + timeout.toSeconds() + " s" + logEnd());
    }
    return process.exitValue();
  }

  /// SIGSTOP: the process freezes; its connections stay open.
  public void freeze() throws InterruptedException {
    signal("STOP");
  }

  /// SIGCONT: the process continues.
  public void thaw() throws InterruptedException {
    signal("CONT");
  }

  /// Kills the process if it is alive, and starts another one like it on the same port.
  public BrokerProcess restart() {
    kill();
    return start(launch);
  }

  @Override
  public void close() {
    if (process.isAlive()) {
      kill();
    }
  }

  /// The last lines of the log.
  public List<String> logTail() {
    try {
      List<String> lines = new String(Files.readAllBytes(launch.log()), UTF_8).lines().toList();
      return lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size());
    } catch (IOException e) {
      return List.of("(no log: " + e.getMessage() + ")");
    }
  }

  private void signal(String name) throws InterruptedException {
    try {
      int code =
          new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor();
      if (code != 0) {
        throw new IllegalStateException("Could not send SIG" + name + " to process " + pid());
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not send SIG" + name + " to process " + pid(), e);
    }
  }

  private void await(String failure, long deadline, BooleanSupplier condition)
      throws InterruptedException {
    while (!condition.getAsBoolean()) {
      if (process.waitFor(LOOK_MILLIS, TimeUnit.MILLISECONDS)) {
        throw new IllegalStateException(
            "The broker ended with code " + process.exitValue() + logEnd());
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new IllegalStateException("The broker " + failure + " in time" + logEnd());
      }
    }
  }

  private String logEnd() {
    return "; its log " + launch.log() + " ends with:\n" + String.join("\n", logTail());
  }

  private boolean listens() {
    try (var socket = new Socket()) {
      socket.connect(Ports.address(launch.port()), CONNECT_MILLIS);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  private static boolean serves(ManagedChannel channel) {
    var request =
        HealthCheckRequest.newBuilder().setService(ConsumerServiceGrpc.SERVICE_NAME).build();
    try {
      channel.resetConnectBackoff();
      return HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(Duration.ofSeconds(CHECK_SECONDS))
              .check(request)
              .getStatus()
          == ServingStatus.SERVING;
    } catch (StatusRuntimeException _) {
      return false;
    }
  }
}
