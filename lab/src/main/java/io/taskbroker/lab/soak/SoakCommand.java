package io.taskbroker.lab.soak;

import io.taskbroker.cli.CommandException;
import io.taskbroker.lab.rig.LibraryLog;
import io.taskbroker.lab.rig.Mode;
import io.taskbroker.lab.rig.RunFolders;
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

/// Finds failures under minutes of load and faults; needs nothing but this JVM.
@Command(
    name = "soak",
    mixinStandardHelpOptions = true,
    description = {
      "Starts Kafka, a broker and workers on this machine, publishes tasks of every kind for"
          + " minutes, kills, freezes and starves the broker meanwhile, and checks the outcome of"
          + " each task, memory, threads, files, disk and the log.",
      "Exit code 0 only if there are no problems."
    })
public final class SoakCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final double MIN_MINUTES = 0.5;
  private static final double MAX_MINUTES = 24 * 60;
  private static final int MAX_TASKS = 20_000_000;

  @Spec private CommandSpec spec;

  @Option(
      names = "--minutes",
      paramLabel = "M",
      defaultValue = "10",
      description = "How long tasks are published (default: ${DEFAULT-VALUE}).")
  private double minutes;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "300",
      description = "Average number of tasks published per second (default: ${DEFAULT-VALUE}).")
  private int rate;

  @Option(
      names = "--mode",
      defaultValue = "push",
      description =
          "Whether the broker pushes to workers or workers pull: ${COMPLETION-CANDIDATES} (default:"
              + " ${DEFAULT-VALUE}).")
  private Mode mode;

  @Option(
      names = "--seed",
      defaultValue = "1",
      description = "Determines tasks, bursts and faults (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--dir",
      description = "Empty or new directory for data and logs (default: a temporary one).")
  private @Nullable Path dir;

  @Option(
      names = "--json",
      paramLabel = "FILE",
      description = "Also write the report to this file.")
  private @Nullable Path json;

  @Override
  public Integer call() throws InterruptedException {
    require(
        minutes >= MIN_MINUTES && minutes <= MAX_MINUTES,
        "--minutes must be %s to %,.0f".formatted(MIN_MINUTES, MAX_MINUTES));
    require(rate >= 1 && rate * minutes * 60 <= MAX_TASKS, "--rate is out of range");
    var load = Duration.ofSeconds(Math.round(minutes * 60));
    var options = new SoakOptions(load, seed, rate, PATIENCE, Optional.ofNullable(json));
    var plan = FaultPlan.of(load, seed);
    var setting = SoakSetting.of(RunFolders.empty(Optional.ofNullable(dir), "soak"), mode);
    LibraryLog.to(setting.soakLog());
    var out = spec.commandLine().getOut();
    try {
      return new Soak(setting, options, plan, UnaryOperator.identity(), out).run();
    } catch (IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
  }

  private void require(boolean condition, String message) {
    if (!condition) {
      throw new ParameterException(spec.commandLine(), message);
    }
  }
}
