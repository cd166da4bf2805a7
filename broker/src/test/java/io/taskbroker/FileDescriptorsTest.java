package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

final class FileDescriptorsTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(FileDescriptors.class);

  @TempDir private Path dir;

  @Test
  void g9NoFreeDescriptorMakesTheBrokerUnready() throws Exception {
    Path probe = dir.resolve("probe");
    Files.createFile(probe);
    var readiness = new ArrayList<Boolean>();
    var watchdog =
        new Watchdog(
            List.of(new FileDescriptors(400, probe)),
            Duration.ofSeconds(10),
            false,
            readiness::add,
            (_, _, _, _) -> {},
            (_, _) -> {});
    look(watchdog, 0, 30);
    assertThat(readiness).containsExactly(true);

    Files.delete(probe);
    look(watchdog, 31, 45);
    assertThat(readiness).containsExactly(true, false);

    Files.createFile(probe);
    look(watchdog, 46, 46);
    assertThat(readiness).containsExactly(true, false, true);
    assertThat(log.lines()).hasSize(2);
    assertThat(log.lines().getFirst())
        .startsWith("ERROR Cannot open files or connections: ")
        .contains("The limit of the process is 400", "ulimit -n");
    assertThat(log.lines().getLast()).startsWith("INFO ");
  }

  @Test
  void connectionLimitReservesDescriptors() {
    assertThat(FileDescriptors.connections(257, 8_192)).isOne();
    assertThat(FileDescriptors.connections(1_024, 8_192)).isEqualTo(768);
    assertThat(FileDescriptors.connections(1 << 20, 8_192)).isEqualTo(8_192);
    assertThat(FileDescriptors.connections(Long.MAX_VALUE, 8_192)).isEqualTo(8_192);
  }

  private static void look(Watchdog watchdog, int from, int to) {
    for (int second = from; second <= to; second++) {
      watchdog.check(second * 1_000_000_000L);
    }
  }
}
