package io.taskbroker.lab;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LabTest {
  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void everyCommandHasHelp() {
    assertThat(run("demo", "--help")).isZero();
    assertThat(run("soak", "--help")).isZero();
    assertThat(run("kafka", "--help")).isZero();
    assertThat(run("smoke", "--help")).isZero();

    assertThat(out.toString())
        .contains(
            "Usage: taskbroker demo",
            "Usage: taskbroker soak",
            "Usage: taskbroker kafka",
            "Usage: taskbroker smoke")
        .contains("--tasks", "--duration-ms", "--mode", "--seed", "--dir", "--keep-running")
        .contains("--port", "--topic");
  }

  @ParameterizedTest
  @CsvSource({
    "demo --tasks 0, --tasks must be 1 to 5000000",
    "demo --tasks many, many",
    "demo --duration-ms -1, --duration-ms must be",
    "demo --mode throw, throw",
    "smoke --runs 0 -- true, --runs must be 1 to 1000",
    "smoke --tasks 0 -- true, --tasks must be 1 to 1000000",
    "kafka --port 0, --port must be 1 to 65535",
    "kafka --topic a:0, needs at least 1 partition",
    "kafka --topic a/b, must be NAME or NAME:PARTITIONS"
  })
  void argumentsThatMakeNoSenseAreOneLineAndCode2(String line, String complaint) {
    assertThat(run(line.split(" "))).isEqualTo(2);

    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).startsWith("taskbroker: ").contains(complaint, "--help)");
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void theSmokeTestFailsIfTheCommandIsNoBroker() {
    String folder = dir.resolve("smoke").toString();

    assertThat(run("smoke", "--dir", folder, "--", "false")).isEqualTo(1);

    assertThat(err.toString()).contains("The broker ended with code 1");
  }

  @Test
  void theDemoKeepsExistingFiles() throws Exception {
    Files.writeString(dir.resolve("precious"), "mine");

    assertThat(run("demo", "--dir", dir.toString())).isEqualTo(1);

    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).contains("is not empty");
    assertThat(dir.toFile().list()).containsExactly("precious");
  }

  private int run(String... args) {
    return Lab.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }
}
