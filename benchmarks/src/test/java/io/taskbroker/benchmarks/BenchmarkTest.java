package io.taskbroker.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/// Smoke test of the end-to-end driver against the broker as built, for a few seconds.
@Timeout(300)
final class BenchmarkTest {
  private static final int RATE = 500;
  private static final int SECONDS = 4;

  @ParameterizedTest
  @EnumSource(Scenario.Mode.class)
  void everyTaskIsRunOnceAndAccountedFor(Scenario.Mode mode, @TempDir Path dir)
      throws IOException, InterruptedException {
    var offer = new Scenario.Offer(Duration.ofSeconds(SECONDS), RATE, 0, 0, 400, 0);
    var scenario =
        new Scenario(
            "smoke",
            mode,
            10,
            1,
            1_024,
            Scenario.Store.SQLITE,
            offer,
            new Scenario.Neighbours(
                0, 0, false, 0, 0, Duration.ofSeconds(1), Duration.ofSeconds(1)),
            new Scenario.Launch(broker(), Map.of(), true, Duration.ofSeconds(1)));

    var outcome = new EndToEnd(scenario, Files.createDirectory(dir.resolve("run"))).run();
    Map<String, Object> figures = Summary.of(outcome);
    new Results(dir.resolve("results")).write("smoke", Map.of(), figures);

    assertThat(figures)
        .containsEntry("lost", 0)
        .containsEntry("duplicates", 0L)
        .containsEntry("exit_code", 0);
    assertThat(outcome.published()).isGreaterThan(RATE);
    assertThat(outcome.end().metrics()).containsKeys(Scrape.COMMITS, Scrape.CHANGES);
    assertThat(figures).containsKey("allocated_bytes_per_task");
    assertThat(figures.get("delivery_us_p50_by_second"))
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .as("the second that has not ended is left out")
        .hasSizeBetween(1, SECONDS);
    assertThat(figures.get("search"))
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .containsEntry("failed", 0)
        .satisfies(search -> assertThat((Long) search.get("searches")).isPositive());
    assertThat(figures.get("page"))
        .asInstanceOf(InstanceOfAssertFactories.MAP)
        .containsEntry("failed", 0)
        .satisfies(page -> assertThat((Long) page.get("loads")).isPositive())
        .satisfies(page -> assertThat((Integer) page.get("files")).isGreaterThan(5))
        .satisfies(page -> assertThat((Long) page.get("bytes")).isBetween(10_000L, 200_000L));
    Map<String, JsonNode> written = new Results(dir.resolve("results")).all();
    assertThat(written).containsOnlyKeys("smoke");
    assertThat(new Tables(written).runs()).contains("| `smoke` |");
  }

  private static List<String> broker() {
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-XX:+UseSerialGC",
        "-Xmx256m",
        "-cp",
        System.getProperty("java.class.path"),
        "io.taskbroker.cli.Main",
        "-c",
        "{config}");
  }
}
