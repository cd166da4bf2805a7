package io.taskbroker.conformance;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.conformance.Page.Step;
import io.taskbroker.testkit.Ports;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Types in docs/getting-started.md, block by block, in an empty folder with the project's launcher
/// in it. Only the port numbers differ from the page.
final class GettingStartedTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Duration PATIENCE = Duration.ofMinutes(3);
  private static final List<String> PORTS = List.of("9092", "9464", "50051", "50052");
  private static final Pattern PORT = Pattern.compile(String.join("|", PORTS));

  private final Path dir = Folders.make("getting-started");
  private final Map<String, String> ports = new HashMap<>();
  private final Map<Integer, Terminal> terminals = new HashMap<>();

  /// Output of the commands that were typed or started last.
  private Path lastOutput = dir;

  /// Commands that ended by themselves, if they were the last.
  private String lastTyped = "";

  private int typed;

  @AfterEach
  void closeTerminals() {
    terminals.values().forEach(Terminal::close);
  }

  @Test
  void everyBlockDoesWhatThePageSays() throws Exception {
    PORTS.forEach(port -> ports.put(port, Integer.toString(Ports.free())));
    Files.createSymbolicLink(dir.resolve("taskbroker"), ROOT.resolve("taskbroker"));

    List<Step> steps = Page.read(ROOT.resolve("docs/getting-started.md"));
    for (Step step : steps) {
      follow(step);
    }

    assertThat(steps).hasAtLeastOneElementOfType(Step.Expect.class);
  }

  private void follow(Step step) throws Exception {
    switch (step) {
      case Step.Save(String path, String content) -> {
        Path file = dir.resolve(path);
        Files.createDirectories(file.getParent());
        Files.writeString(file, local(content));
      }
      case Step.Type(String commands) -> {
        lastTyped = commands;
        assertThat(type(commands)).as("exit code of %s%n%s", commands, text(lastOutput)).isZero();
      }
      case Step.Start(int number, boolean interrupt, String commands) -> {
        if (interrupt) {
          terminal(number).interrupt();
        }
        Path output = dir.resolve("terminal-" + number + "-" + typed++ + ".log");
        terminals.put(number, new Terminal(bash("exec " + commands, output).start(), output));
        lastOutput = output;
        lastTyped = "";
      }
      case Step.Expect(int number, List<String> lines) -> {
        if (number == 0 && !lastTyped.isEmpty()) {
          await()
              .atMost(PATIENCE)
              .until(() -> shows(lines) || (type(lastTyped) == 0 && shows(lines)));
        } else {
          Path output = number == 0 ? lastOutput : terminal(number).output();
          await()
              .atMost(PATIENCE)
              .untilAsserted(() -> assertThat(text(output)).contains(localLines(lines)));
        }
      }
    }
  }

  /// Runs commands to their end, as a reader repeats them until they show what the page shows.
  ///
  /// @return the exit code
  private int type(String commands) throws IOException, InterruptedException {
    lastOutput = dir.resolve("typed-" + typed++ + ".log");
    Process process = bash(commands, lastOutput).start();
    assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)).as(commands).isTrue();
    return process.exitValue();
  }

  private boolean shows(List<String> lines) {
    String output = text(lastOutput);
    return localLines(lines).stream().allMatch(output::contains);
  }

  private List<String> localLines(List<String> lines) {
    return lines.stream().map(this::local).toList();
  }

  private Terminal terminal(int number) {
    return Optional.ofNullable(terminals.get(number)).orElseThrow();
  }

  private ProcessBuilder bash(String commands, Path output) {
    return new ProcessBuilder(
            "env",
            "--default-signal=INT", // a build in the background ignores Ctrl-C
            "bash",
            "-c",
            "set -euo pipefail\n" + exported(local(commands)))
        .directory(dir.toFile())
        .redirectErrorStream(true)
        .redirectOutput(output.toFile());
  }

  /// `exec NAME=VALUE command` is no command of the shell.
  private static String exported(String commands) {
    return commands.replaceFirst("^exec (\\w+=\\S+) ", "exec env $1 ");
  }

  /// The same text with this machine's free ports.
  private String local(String text) {
    return PORT.matcher(text).replaceAll(port -> ports.get(port.group()));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("Could not read " + file, e);
    }
  }

  private record Terminal(Process process, Path output) {
    private static final long STOP_SECONDS = 30;

    /// Ctrl-C; returns when the process has ended.
    void interrupt() throws IOException, InterruptedException {
      new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
      assertThat(process.waitFor(STOP_SECONDS, TimeUnit.SECONDS))
          .as("Ctrl-C ends it: %s", text(output))
          .isTrue();
    }

    void close() {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
