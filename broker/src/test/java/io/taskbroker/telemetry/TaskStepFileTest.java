package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.telemetry.TaskStepFile.Rotation;
import io.taskbroker.telemetry.TaskStepSink.Subject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

@Timeout(240)
final class TaskStepFileTest {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long NOW = 1_700_000_000_000L;

  @TempDir private Path dir;

  @Test
  void eachStepIsALine() throws Exception {
    var file = new TaskStepFile(dir.resolve("steps"), new Rotation(1_000_000, 1));
    file.step("received", NOW, task("a\"\n", "tasks", 3), "");
    file.step("ended", NOW + 1, task("b", "", -1), "completed");
    assertThat(file.flush(PATIENCE)).isTrue();
    List<JsonNode> lines =
        Files.readAllLines(dir.resolve("steps")).stream().map(JSON::readTree).toList();
    assertThat(lines).hasSize(2);
    assertThat(lines.get(0).path("task_id").asString()).isEqualTo("a\"\n");
    assertThat(lines.get(0).path("topic").asString()).isEqualTo("tasks");
    assertThat(lines.get(1).path("step").asString()).isEqualTo("ended");
    assertThat(lines.get(1).path("detail").asString()).isEqualTo("completed");
    assertThat(lines.get(1).has("topic")).isFalse();
  }

  @Test
  void fileIsRenamedAtItsSizeAndTheOldestGoes() throws Exception {
    for (int round = 0; round < 2; round++) { // appends after a restart
      var file = new TaskStepFile(dir.resolve("steps"), new Rotation(10_000, 2));
      for (int i = 0; i < 150; i++) {
        file.step("received", NOW, task("id-" + i, "tasks", 3), "");
      }
      assertThat(file.flush(PATIENCE)).isTrue();
      assertThat(file.dropped()).isZero();
    }
    try (var files = Files.list(dir)) {
      assertThat(files.map(each -> each.getFileName().toString()))
          .containsExactlyInAnyOrder("steps", "steps.1", "steps.2");
    }
    for (String name : List.of("steps", "steps.1", "steps.2")) {
      assertThat(Files.size(dir.resolve(name))).isLessThanOrEqualTo(10_000);
      assertThat(Files.readAllLines(dir.resolve(name)))
          .allSatisfy(line -> assertThat(JSON.readTree(line).path("time").asString()).isNotEmpty());
    }
  }

  @Test
  void linesThatTheDiskRefusesAreCountedAndTheFileSaysSoLater() throws Exception {
    Path folder = dir.resolve("missing");
    var file = new TaskStepFile(folder.resolve("steps"), new Rotation(1_000_000, 1));
    file.step("received", NOW, task("a", "tasks", 3), "");
    assertThat(file.flush(PATIENCE)).isTrue();
    assertThat(file.dropped()).isOne();
    Files.createDirectory(folder);
    file.step("received", NOW, task("b", "tasks", 3), "");
    assertThat(file.flush(PATIENCE)).isTrue();
    List<String> lines = Files.readAllLines(folder.resolve("steps"));
    JsonNode notice = JSON.readTree(lines.getFirst().isEmpty() ? lines.get(1) : lines.getFirst());
    assertThat(notice.path("missing").asInt()).isOne();
    assertThat(lines.getLast()).contains("\"b\"");
  }

  private static Subject task(String id, String topic, int partition) {
    return new Subject(id, "app", "ns", "task", topic, partition, 7);
  }
}
