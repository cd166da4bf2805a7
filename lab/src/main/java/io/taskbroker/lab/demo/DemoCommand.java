package io.taskbroker.lab.demo;

import io.taskbroker.lab.rig.LibraryLog;
import io.taskbroker.lab.rig.Mode;
import io.taskbroker.lab.rig.RunFolders;
import java.io.Console;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Demonstrates and checks the broker; needs nothing but this JVM.
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Starts Kafka, a broker and a worker on this machine, publishes tasks of every kind, and"
          + " accounts for each of them.",
      "Exit code 0 only if none is missing."
    })
public final class DemoCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(20);
  private static final int MAX_TASKS = 5_000_000;
  private static final int MAX_MILLIS = 60_000;

  @Spec private CommandSpec spec;

  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "20000",
      description = "How many tasks to publish (default: ${DEFAULT-VALUE}).")
  private int tasks;

  @Option(
      names = "--duration-ms",
      paramLabel = "MS",
      defaultValue = "100",
      description = "How long each task runs (default: ${DEFAULT-VALUE}).")
  private int millis;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description = "Tasks published per second (default: as many as possible).")
  private int rate;

  @Option(
      names = "--mode",
      defaultValue = "push",
      description =
          "Whether the broker pushes to the worker or the worker pulls: ${COMPLETION-CANDIDATES}"
              + " (default: ${DEFAULT-VALUE}).")
  private Mode mode;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Determines the kinds of tasks (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--dir",
      description = "Empty or new directory for data and logs (default: a temporary one).")
  private @Nullable Path dir;

  @Option(
      names = "--keep-running",
      description = "Keep everything running after the check, until interrupted.")
  private boolean keepRunning;

  @Override
  public Integer call() throws InterruptedException {
    require(tasks >= 1 && tasks <= MAX_TASKS, "--tasks must be 1 to " + MAX_TASKS);
    require(millis >= 0 && millis <= MAX_MILLIS, "--duration-ms must be 0 to " + MAX_MILLIS);
    require(rate >= 0, "--rate must not be negative");
    var setting =
        DemoSetting.of(RunFolders.empty(Optional.ofNullable(dir), "demo"), mode, tasks, millis);
    LibraryLog.to(setting.demoLog());
    var options = new DemoOptions(tasks, millis, seed, rate, keepRunning, PATIENCE);
    boolean terminal =
        Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent();
    var out = spec.commandLine().getOut();
    return new Demo(setting, options, UnaryOperator.identity(), out, terminal).run();
  }

  private void require(boolean condition, String message) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }
}
