package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.ParseResult;

final class MainTest {
  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  void helpListsTheCommandsAndTheReferencesOptions() {
    assertThat(run("--help")).isZero();

    assertThat(out.toString())
        .startsWith("Usage: taskbroker")
        .contains("-c, --config=FILE", "-r, --run=MODE", "broker, migrations", "serve", "config");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void everyCommandHasHelp() {
    assertThat(run("serve", "--help")).isZero();
    assertThat(run("config", "check", "--help")).isZero();

    assertThat(out.toString())
        .contains("Usage: taskbroker serve", "Usage: taskbroker config check");
  }

  @Test
  void tellsItsVersion() {
    assertThat(run("--version")).isZero();

    assertThat(out.toString()).matches("taskbroker \\S+ \\(commit \\S+\\)\\R");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-c FILE",
        "--config FILE",
        "--config=FILE -r broker",
        "serve -c FILE",
        "-c FILE serve",
        "--run migrations -c FILE serve"
      })
  void takesTheReferencesCommandLineWithAndWithoutACommand(String line) {
    ParseResult result = Main.commandLine().parseArgs(line.split(" "));

    ParseResult options = result.hasMatchedOption("-c") ? result : result.subcommand();
    assertThat(options.<Path>matchedOptionValue("-c", Path.of("none"))).isEqualTo(Path.of("FILE"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--run migrations", "--run=migrations -c FILE", "serve -r MIGRATIONS"})
  void nothingIsMigratedWithSqliteAndThatIsNoError(String line) throws Exception {
    Path file = Files.writeString(dir.resolve("config.yaml"), "grpc_port: 50099\n");

    assertThat(run(line.replace("FILE", file.toString()).split(" "))).isZero();

    assertThat(err.toString().lines())
        .singleElement()
        .asString()
        .startsWith("taskbroker: warning: nothing to migrate");
    assertThat(dir.toFile().list()).containsExactly("config.yaml");
  }

  @Test
  void nothingIsMigratedWithAConfigurationThatIsWrong() throws Exception {
    Path file = Files.writeString(dir.resolve("config.yaml"), "{grpc_port: -1, push_threads: 0}");

    assertThat(run("--run", "migrations", "-c", file.toString())).isEqualTo(1);

    assertThat(err.toString().lines())
        .hasSize(2)
        .satisfiesOnlyOnce(line -> assertThat(line).contains("grpc_port = -1"))
        .satisfiesOnlyOnce(line -> assertThat(line).contains("push.threads = 0"));
  }

  @Test
  void aMissingFileIsOneLine() {
    String file = dir.resolve("none.yaml").toString();

    assertThat(run("-c", file)).isEqualTo(1);
    assertThat(run("serve", "-c", file)).isEqualTo(1);
    assertThat(run("-c", file, "serve")).isEqualTo(1);

    assertThat(err.toString().lines())
        .hasSize(3)
        .containsOnly("taskbroker: configuration file " + file + " does not exist");
  }

  @Test
  void aDirectoryIsRejected() {
    assertThat(run("-c", dir.toString())).isEqualTo(1);

    assertThat(err.toString().lines())
        .containsExactly("taskbroker: configuration file " + dir + " cannot be read");
  }

  @ParameterizedTest
  @CsvSource({
    "--cofnig x, --cofnig",
    "bogus, bogus",
    "-r sideways, sideways",
    "-c, --config",
    "demo, demo"
  })
  void argumentsThatMakeNoSenseAreOneLineAndCode2(String line, String complaint) {
    assertThat(run(line.split(" "))).isEqualTo(2);

    assertThat(err.toString().lines()).hasSize(1);
    assertThat(err.toString()).startsWith("taskbroker: ").contains(complaint, "--help)");
    assertThat(out.toString()).isEmpty();
  }

  private int run(String... args) {
    return Main.commandLine()
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }
}
