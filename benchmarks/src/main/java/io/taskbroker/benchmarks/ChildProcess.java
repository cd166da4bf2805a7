package io.taskbroker.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Child process of a run; killed with the run unless stopped before.
final class ChildProcess implements AutoCloseable {
  private static final int CONNECT_MILLIS = 500;
  private static final long LOOK_MILLIS = 10;
  private static final int LOG_LINES = 15;
  private static final long KILL_SECONDS = 10;

  private final String name;
  private final Process process;
  private final Path log;
  private final Thread hook;

  private ChildProcess(String name, Process process, Path log) {
    this.name = name;
    this.process = process;
    this.log = log;
    hook = Thread.ofPlatform().name("kill-" + name).unstarted(process::destroyForcibly);
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /// Starts a program; its output goes to a log.
  static ChildProcess start(
      String name, List<String> command, Map<String, String> environment, Path log) {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
    return start(name, builder, environment, log);
  }

  /// Starts a class of this class path; its standard output is for [#firstLine].
  static ChildProcess startJava(String name, List<String> options, List<String> program, Path log) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.addAll(program);
    var builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()));
    return start(name, builder, Map.of(), log);
  }

  private static ChildProcess start(
      String name, ProcessBuilder builder, Map<String, String> environment, Path log) {
    builder.environment().putAll(environment);
    try {
      return new ChildProcess(name, builder.start(), log);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Could not start %s: %s".formatted(name, builder.command()), e);
    }
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /// The process and all its descendants.
  List<Long> pids() {
    var pids = new ArrayList<Long>();
    pids.add(pid());
    process.descendants().forEach(each -> pids.add(each.pid()));
    return pids;
  }

  /// Waits for the first line on the standard output of a Java class.
  String firstLine() throws IOException {
    var reader = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    String line = reader.readLine();
    if (line == null) {
      throw new IllegalStateException(name + " ended at its start:\n" + logEnd());
    }
    return line;
  }

  /// Waits until a port accepts connections.
  ChildProcess awaitPort(int port, Duration timeout) throws InterruptedException {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (!listens(port)) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "%s does not listen on port %d:%n%s".formatted(name, port, logEnd()));
      }
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
    return this;
  }

  private static boolean listens(int port) {
    try (var socket = new Socket()) {
      socket.connect(
          new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), port), CONNECT_MILLIS);
      return true;
    } catch (IOException _) {
      return false;
    }
  }

  /// SIGTERM; returns the exit code.
  int stop(Duration timeout) throws InterruptedException {
    process.destroy();
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new IllegalStateException(name + " did not stop:\n" + logEnd());
    }
    return process.exitValue();
  }

  /// Waits for a successful exit.
  void awaitEnd(Duration timeout) throws InterruptedException {
    if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS) || process.exitValue() != 0) {
      throw new IllegalStateException(name + " failed:\n" + logEnd());
    }
  }

  String logEnd() {
    try {
      List<String> lines = Files.readAllLines(log, UTF_8);
      return String.join("\n", lines.subList(Math.max(0, lines.size() - LOG_LINES), lines.size()));
    } catch (IOException e) {
      return "(no log: " + e.getMessage() + ")";
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor(KILL_SECONDS, TimeUnit.SECONDS);
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (IllegalStateException _) {
      // The hook is already running.
    }
  }
}
