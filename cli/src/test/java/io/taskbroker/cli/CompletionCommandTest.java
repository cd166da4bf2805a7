package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Completion scripts know every command and its options.
final class CompletionCommandTest {
  @ParameterizedTest
  @ValueSource(strings = {"bash", "zsh", "fish"})
  void scriptKnowsCommandsAndOptions(String shell) {
    var out = new StringWriter();
    int code =
        Main.commandLine().setOut(new PrintWriter(out)).execute("completion", "--shell", shell);
    assertThat(code).isZero();
    assertThat(out.toString()).contains("explain", "quarantine", "token-file", "dry-run");
    if (shell.equals("bash")) {
      assertBashAccepts(out.toString());
    }
  }

  private static void assertBashAccepts(String script) {
    try {
      Process bash = new ProcessBuilder("bash", "-n").redirectErrorStream(true).start();
      bash.getOutputStream().write(script.getBytes(UTF_8));
      bash.getOutputStream().close();
      assertThat(new String(bash.getInputStream().readAllBytes(), UTF_8)).isEmpty();
      assertThat(bash.waitFor()).isZero();
    } catch (java.io.IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
