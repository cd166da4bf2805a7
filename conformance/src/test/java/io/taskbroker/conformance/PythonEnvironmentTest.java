package io.taskbroker.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Which Python is taken, and what is said if none can be.
@Timeout(240)
final class PythonEnvironmentTest {
  @TempDir private Path dir;

  @Test
  void theFirstThatFitsIsTaken() throws Exception {
    program("python3", "echo is version 3.9; exit 1");
    program("python3.12", "echo /somewhere/python3.12 3.12.1");
    program("python3.13", "echo /somewhere/python3.13 3.13.0");
    assertThat(PythonEnvironment.interpreter("/nowhere:" + dir))
        .isEqualTo("/somewhere/python3.12 3.12.1");
  }

  @Test
  void withoutOneItIsSaidWhatIsMissing() throws Exception {
    program("python3", "echo is version 3.9; exit 1");
    program("python3.11", "echo 'lacks the module ensurepip' >&2; exit 1");
    assertThatThrownBy(() -> PythonEnvironment.interpreter(dir.toString()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("need Python 3.11 or later")
        .hasMessageContaining(dir.resolve("python3") + " is version 3.9")
        .hasMessageContaining(dir.resolve("python3.11") + " lacks the module ensurepip")
        .hasMessageContaining("python3.12: not found");
  }

  private void program(String name, String script) throws IOException {
    Path file = Files.writeString(dir.resolve(name), "#!/bin/sh\n" + script + "\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
  }
}
