package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/// One program of the application of the tests, in a process of its own with children of its own.
/// It ends with this process, at the latest. What it writes to its outputs is added to the log of
/// that name in its folder. Not thread-safe.
final class PythonProcess implements AutoCloseable {
  private static final long KILL_SECONDS = 10;

  /// So that nothing that waits for it waits forever.
  private static final long LONGEST_LIFE_MINUTES = 5;

  private final String name;
  private final Process process;

  private PythonProcess(String name, Process process) {
    this.name = name;
    this.process = process;
  }

  /// Starts a program whose outputs both go to the log.
  static PythonProcess start(
      PythonEnvironment python, String program, Map<String, String> environment, Path dir)
      throws InterruptedException {
    return start(python, program, environment, dir, true);
  }

  /// Starts a program that is spoken with by [#input] and [#output].
  static PythonProcess startTalking(
      PythonEnvironment python, String program, Map<String, String> environment, Path dir)
      throws InterruptedException {
    return start(python, program, environment, dir, false);
  }

  private static PythonProcess start(
      PythonEnvironment python,
      String program,
      Map<String, String> environment,
      Path dir,
      boolean silent)
      throws InterruptedException {
    File log = dir.resolve(program + ".log").toFile();
    var builder =
        new ProcessBuilder(python.python().toString(), "-m", "conformance." + program)
            .directory(dir.toFile())
            .redirectError(ProcessBuilder.Redirect.appendTo(log));
    if (silent) {
      builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log));
    }
    builder.environment().put("PYTHONPATH", PythonEnvironment.sources().toString());
    builder.environment().put("PYTHONUNBUFFERED", "1");
    builder.environment().put("PYTHONUTF8", "1");
    builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
    builder.environment().putAll(environment);
    try {
      Process process = builder.start();
      CompletableFuture.delayedExecutor(LONGEST_LIFE_MINUTES, TimeUnit.MINUTES)
          .execute(process::destroyForcibly);
      return new PythonProcess(program, process);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start " + program, e);
    }
  }

  boolean isAlive() {
    return process.isAlive();
  }

  BufferedWriter input() {
    return process.outputWriter(UTF_8);
  }

  BufferedReader output() {
    return process.inputReader(UTF_8);
  }

  /// SIGTERM to the process, not to its children; returns the exit code.
  int stop(Duration limit) throws InterruptedException {
    // Process.destroy would close its input, too, which ends it a second time.
    process.toHandle().destroy();
    return awaitEnd(limit);
  }

  /// SIGSTOP to the process: it freezes, its connections stay open.
  void freeze() throws InterruptedException {
    signal("STOP");
  }

  /// SIGCONT: it continues.
  void thaw() throws InterruptedException {
    signal("CONT");
  }

  private void signal(String signal) throws InterruptedException {
    try {
      int code =
          new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor();
      if (code != 0) {
        throw new IllegalStateException("Could not send SIG" + signal + " to " + name);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Could not send SIG" + signal + " to " + name, e);
    }
  }

  /// The exit code.
  ///
  /// @throws IllegalStateException if the process did not end in time; it is killed then
  int awaitEnd(Duration limit) throws InterruptedException {
    if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
      kill();
      throw new IllegalStateException(name + " did not end within " + limit.toSeconds() + " s");
    }
    return process.exitValue();
  }

  /// SIGKILL to the process and all that it started; returns when they are gone.
  void kill() {
    List<ProcessHandle> all =
        Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
    all.forEach(ProcessHandle::destroyForcibly);
    for (ProcessHandle each : all) {
      awaitDeath(each);
    }
  }

  private void awaitDeath(ProcessHandle each) {
    try {
      each.onExit().get(KILL_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while killing " + name, e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "Process " + each.pid() + " of " + name + " outlived SIGKILL", e);
    }
  }

  @Override
  public void close() {
    kill();
  }
}
