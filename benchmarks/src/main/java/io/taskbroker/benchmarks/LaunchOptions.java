package io.taskbroker.benchmarks;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How the broker is started.
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
      description = "Leave out what the broker allocates, which takes some memory of it.")
  private boolean unprobed;

  @Option(
      names = "--rehearsal",
      defaultValue = "15",
      description = "Seconds for which another broker is under load before.")
  private int rehearsal;

  /// @throws IllegalArgumentException if nothing says what to start
  Scenario.Launch launch() {
    if (broker == null || broker.isBlank()) {
      throw new IllegalArgumentException("Say by --broker how the broker is started");
    }
    return new Scenario.Launch(
        Arrays.asList(broker.strip().split("\\s+", 0)),
        environment,
        !unprobed,
        Duration.ofSeconds(rehearsal));
  }
}
