package io.taskbroker;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/// Stages that fail at the same time: one line says why (G9).
@Tag("concurrency")
@Timeout(60)
final class LifecycleRaceTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(Lifecycle.class);
  private final PrintStream before = System.err;
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void redirect() {
    System.setErr(new PrintStream(err, true, UTF_8));
  }

  @AfterEach
  void restore() {
    System.setErr(before);
  }

  @Test
  void g9OneLineSaysWhyThoughAllStagesFailAtOnce() {
    int[] rounds = new int[1];
    Race.of(
        300,
        Lifecycle::new,
        List.of(
            lifecycle -> lifecycle.failed("one", new IllegalStateException("broken")),
            lifecycle -> lifecycle.failed("two", new IllegalStateException("broken")),
            lifecycle -> lifecycle.failed("three", new IllegalStateException("broken"))),
        _ -> {
          rounds[0]++;
          assertThat(err.toString(UTF_8).lines()).hasSize(rounds[0]);
          assertThat(log.events()).hasSize(rounds[0]);
        });
  }
}
