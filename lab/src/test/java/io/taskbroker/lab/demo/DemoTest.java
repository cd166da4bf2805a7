package io.taskbroker.lab.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.lab.rig.Mode;
import io.taskbroker.testkit.BrokerLaunch;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// The demo with a real child process, real Kafka and real gRPC; only the broker is a small fake,
/// whose faults the demo must find.
@Timeout(240)
final class DemoTest {
  private static final int TASKS = 1_000;
  private static final int MILLIS = 20;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// For what never comes.
  private static final Duration IMPATIENCE = Duration.ofSeconds(15);

  @TempDir private Path dir;
  private final StringWriter out = new StringWriter();

  @ParameterizedTest
  @EnumSource
  void accountsForEveryTask(Mode mode) throws Exception {
    int code = demo(mode, "", TASKS);

    assertThat(out.toString())
        .contains("Every task is accounted for.")
        .containsPattern("completed +997 *\\n")
        .containsPattern("dead-lettered +2 +of 2 ")
        .containsPattern("retried +20 +of 20 ")
        .containsPattern("expired +1 +of 1")
        .containsPattern("delivered again +1 +overran their deadline: 1, without a reason: 0")
        .containsPattern("lost +0")
        .contains(dir.resolve("taskbroker.sqlite").toString())
        .contains(dir.resolve("broker.log").toString())
        .doesNotContain("PROBLEM");
    assertThat(code).isZero();
    assertThat(Files.readString(dir.resolve("taskbroker.yaml")))
        .contains("delivery_mode: " + mode)
        .contains("auto_offset_reset: earliest");
  }

  @ParameterizedTest
  @CsvSource({
    // the broker serves once it has partitions; some of 300 tasks are delayed by 3 s
    "lose, PROBLEM: task 7 .* is missing: started 0",
    "twice, PROBLEM: task 7 .* ran 2 times",
    "early, PROBLEM: task \\d+ \\(DELAYED\\) ran .* s early",
    "row, PROBLEM: 1 tasks are left in the database",
    "die, PROBLEM: the broker ended with code 5",
    "no-start, ended with code 4[\\s\\S]*will not start"
  })
  void failsWhenSomethingIsWrong(String fault, String complaint) throws Exception {
    int code = demo(Mode.PUSH, fault, 300);

    assertThat(out.toString()).containsPattern(complaint).doesNotContain("Every task is");
    assertThat(code).isEqualTo(1);
  }

  @Test
  void planDependsOnTheSeedOnly() {
    var plan = new DemoPlan(TASKS, MILLIS, 3);
    var same = new DemoPlan(TASKS, MILLIS, 3);
    var other = new DemoPlan(TASKS, MILLIS, 4);
    int differences = 0;
    for (int i = 0; i < TASKS; i++) {
      assertThat(plan.kind(i)).isEqualTo(same.kind(i));
      differences += plan.kind(i) == other.kind(i) ? 0 : 1;
    }
    assertThat(differences).isPositive();
  }

  private int demo(Mode mode, String fault, int tasks) throws Exception {
    var setting = DemoSetting.of(dir, mode, tasks, MILLIS);
    var options =
        new DemoOptions(tasks, MILLIS, 1, 0, false, fault.isEmpty() ? PATIENCE : IMPATIENCE);
    UnaryOperator<BrokerLaunch> miniBroker =
        launch ->
            launch
                .withJvmOptions("-XX:TieredStopAtLevel=1")
                .withProgram(MiniBroker.class.getName(), setting.config().toString(), fault);
    return new Demo(setting, options, miniBroker, new PrintWriter(out, true), false).run();
  }
}
