package io.taskbroker.benchmarks;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Launch options of the broker.
final class LaunchOptions {
  @Option(
      names = "--broker",
      defaultValue = "${sys:benchmarks.broker}",
      description = "Command that starts a broker; {config} is the path of its configuration.")
  private @Nullable String broker;

  @Option(
      names = "--env",
      description = "NAME=VALUE for the broker, such as TASKBROKER_BATCH_STATUS_UPDATES=true.")
  Map<String, String> environment = new LinkedHashMap<>();

  @Option(
      names = "--no-probe",
      description = "Do not measure the broker's allocation, which costs it some memory.")
  private boolean unprobed;

  @Option(
      names = "--rehearsal",
      defaultValue = "15",
      description = "Seconds of load on another broker beforehand.")
  private int rehearsal;

  /// @throws IllegalArgumentException if there is no launch command
  Scenario.Launch launch() {
    if (broker == null || broker.isBlank()) {
      throw new IllegalArgumentException("Set --broker to the command that starts the broker");
    }
    return new Scenario.Launch(
        Arrays.asList(broker.strip().split("\\s+", 0)),
        environment,
        !unprobed,
        Duration.ofSeconds(rehearsal));
  }
}
