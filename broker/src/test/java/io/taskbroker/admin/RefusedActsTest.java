package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/// Acts that were refused are recorded, and do not fill the record.
final class RefusedActsTest {
  @TempDir private Path dir;
  private long nanos = Long.MAX_VALUE - 1;

  @Test
  void g7AFloodIsOneEntryInTenSeconds() throws Exception {
    Path file = dir.resolve("acts");
    try (var audit = new AuditLog(file, JsonMapper.shared())) {
      var refused = new RefusedActs(audit, () -> Instant.EPOCH, () -> nanos);
      var why = new ApiProblem(403, "Forbidden", "ann has the role READ");
      for (int i = 0; i < 1_000; i++) {
        refused.add("10.0.0.1", "POST /v1/" + "x".repeat(10_000), why);
      }
      assertThat(Files.readAllLines(file))
          .singleElement()
          .asString()
          .hasSizeLessThan(500)
          .contains("\"refused\"", "10.0.0.1", "POST /v1/xxx", "ann has the role READ", "403");
      nanos += RefusedActs.INTERVAL.toNanos();
      refused.add("10.0.0.1", "POST /v1/pause", why);
    }
    List<String> lines = Files.readAllLines(file);
    assertThat(lines).hasSize(2);
    assertThat(lines.getLast()).contains("\"without_entry\":999");
  }
}
