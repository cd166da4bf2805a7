package io.taskbroker.lab.soak;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.lab.rig.Mode;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A short soak of the real process without faults, sabotaged with everything that a soak must
/// find. `.ci/run` shows that a healthy broker has no findings.
@Timeout(300)
final class SoakTest {
  private static final int RATE = 200;
  private static final Duration LOAD = Duration.ofSeconds(30);

  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();

  @Test
  void findsLostTasksLeaksAndErrors() throws Exception {
    var setting = SoakSetting.of(Files.createDirectory(dir.resolve("soak")), Mode.PUSH);
    Path json = dir.resolve("report.json");
    var options = new SoakOptions(LOAD, 1, RATE, Duration.ofSeconds(15), Optional.of(json));

    int code =
        new Soak(
                setting,
                options,
                new FaultPlan(List.of(), Duration.ofSeconds(5)),
                launch ->
                    launch.withProgram(
                        Saboteur.class.getName(),
                        setting.database().toString(),
                        setting.config().toString()),
                new PrintWriter(out, true))
            .run();

    assertThat(out.toString())
        .containsPattern("PROBLEM: heap after a collection, bytes grew")
        .containsPattern("PROBLEM: largest growth: \\[B by ")
        .containsPattern("PROBLEM: threads grew")
        .containsPattern("PROBLEM: open files grew")
        .containsPattern("PROBLEM: unexpected error in the log: .*planted")
        .containsPattern("PROBLEM: task \\d+ \\([A-Z_]+ of [a-z]+\\) is missing: .* started 0")
        .contains("Not all is as it should be.");
    assertThat(code).isEqualTo(1);
    assertThat(json).content().contains("\"good\":false", "\"samples\":[{\"at_s\":");
  }
}
