package io.taskbroker.grpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import io.taskbroker.Race;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// A warning that many provoke at once is one line.
@Tag("concurrency")
@Timeout(60)
final class RareWarningRaceTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(RareWarningRaceTest.class);

  @Test
  void g7ManyAtOnceAreOneLine() {
    int[] before = new int[1];
    Race.of(
        1_000,
        () -> new RareWarning(RareWarningRaceTest.class),
        List.of(
            warning -> warning.log("{}", "one"),
            warning -> warning.log("{}", "two"),
            warning -> warning.log("{}", "three")),
        _ -> assertThat(log.lines()).hasSize(++before[0]));
  }
}
