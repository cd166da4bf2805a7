package io.taskbroker.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(240)
final class BrokerProcessTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @TempDir private Path dir;
  private final int port = Ports.free();

  @Test
  void isKilledFrozenStoppedAndStartedAgain() throws Exception {
    BrokerProcess first = child(Integer.toString(port), "SERVING").awaitServing(PATIENCE);
    long pid;
    try (first) {
      pid = first.pid();
      assertThat(first.address()).isEqualTo("127.0.0.1:" + port);
      assertThat(first.exitCode()).isEmpty();
      first.freeze();
      await().until(() -> state(pid) == 'T');
      first.thaw();
      await().until(() -> state(pid) != 'T');

      first.kill();
      assertThat(first.exitCode()).hasValue(128 + 9);
    }
    try (var second = first.restart().awaitServing(PATIENCE)) {
      assertThat(second.pid()).isNotEqualTo(pid);
      assertThat(second.stop(PATIENCE)).isZero();
      assertThat(second.isAlive()).isFalse();
      assertThat(second.logTail()).containsExactly("child says hello", "child says hello");
    }
  }

  @Test
  void anExitBeforeServingIsReportedWithTheLog() throws Exception {
    try (var process = child("3")) {
      assertThatThrownBy(() -> process.awaitServing(PATIENCE))
          .hasMessageContaining("ended with code 3")
          .hasMessageContaining("cannot start");
    }
  }

  @Test
  void listeningIsNotServing() throws Exception {
    try (var process = child(Integer.toString(port), "NOT_SERVING")) {
      process.awaitPort(PATIENCE);

      assertThatThrownBy(() -> process.awaitServing(Duration.ofMillis(300)))
          .hasMessageContaining("did not serve in time");
    }
  }

  private BrokerProcess child(String... arguments) {
    var program = new String[arguments.length + 1];
    program[0] = ChildBroker.class.getName();
    System.arraycopy(arguments, 0, program, 1, arguments.length);
    return BrokerProcess.start(
        BrokerLaunch.ofThisClassPath(dir.resolve("unused"), port, dir.resolve("child.log"))
            .withJvmOptions("-XX:TieredStopAtLevel=1")
            .withProgram(program)
            .withEnvironment("CHILD_SAYS", "hello"));
  }

  /// Process state from `/proc`; `T` is stopped by a signal.
  private static char state(long pid) throws Exception {
    String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
    return stat.charAt(stat.lastIndexOf(')') + 2);
  }
}
