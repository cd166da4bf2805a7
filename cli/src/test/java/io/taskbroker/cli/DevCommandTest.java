package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.config.ConfigLoader;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Settings that `dev` derives from its options.
final class DevCommandTest {
  @ValueSource(strings = {"/data/tasks", "/a \"b\"/c", "/a\\b", "/1", "/[a]", "/a: b"})
  @ParameterizedTest
  void anyFolderCanHoldTheStore(String path) {
    var config =
        ConfigLoader.load(
            Optional.empty(),
            Map.of("TASKBROKER_STORE__SQLITE__PATH", DevCommand.quoted(path)),
            _ -> {});
    assertThat(config.store().sqlite().path()).isEqualTo(Path.of(path));
  }
}
