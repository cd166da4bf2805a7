package io.taskbroker.rules;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Race;
import io.taskbroker.config.RuntimeConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Race of judging and reporting: no match is lost, and no name is reported as unseen after a task
/// of it was judged.
@Tag("concurrency")
@Timeout(240)
final class RuleUseRaceTest {
  private static final int TASKS = 50;

  @Test
  void reportsLoseNoMatches() {
    Race.of(
        1_000,
        Judged::new,
        List.of(Judged::judge, Judged::report),
        race -> {
          race.report();
          assertThat(race.lines.getLast()).endsWith("by name: t " + TASKS);
          assertThat(race.report.unseen()).isEmpty();
        });
  }

  private static final class Judged {
    private final RuleSet rules =
        new RuleSet(
            RuntimeConfig.parse(
                Path.of("rules"),
                "drop_task_killswitch: [t]\ndemoted_namespaces: []\n"
                    .getBytes(StandardCharsets.UTF_8),
                _ -> {}),
            new RuleContext("long", "dead:9092", true, List.of()));
    private final RuleReport report = new RuleReport(rules);
    private final List<String> lines = new ArrayList<>();

    private void judge() {
      for (int i = 0; i < TASKS; i++) {
        rules.judge(RuleSetTest.task("t", "ns", new byte[0]));
      }
    }

    private void report() {
      lines.addAll(report.matches());
    }
  }
}
