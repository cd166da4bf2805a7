package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Record of acts: complete, private, and bounded.
final class AuditLogTest {
  private static final int MAX_BYTES = 2_000;

  @TempDir private Path dir;

  @Test
  void g7OldFilesGoAndTheNewestLinesStay() throws Exception {
    Path file = dir.resolve("audit");
    try (var log = new AuditLog(file, ApiJson.mapper(), MAX_BYTES)) {
      for (int i = 0; i < 200; i++) {
        log.record(
            new AuditLog.Entry(
                Instant.EPOCH, "done", "ann", "ADMIN", "::1", "POST /x", "no " + i, null, null, i));
      }
    }
    try (Stream<Path> files = Files.list(dir)) {
      assertThat(files).hasSize(1 + AuditLog.KEPT).allMatch(each -> size(each) <= MAX_BYTES);
    }
    List<String> last = Files.readAllLines(file);
    assertThat(last.getLast()).contains("\"why\":\"no 199\"", "\"after\":199");
    List<String> before = Files.readAllLines(dir.resolve("audit.1"));
    int first = number(last.getFirst());
    assertThat(number(before.getLast())).isEqualTo(first - 1);
    assertThat(Files.getPosixFilePermissions(file)).hasSize(2);
  }

  @Test
  void aLineThatWasCutDoesNotTakeTheNextOneWithIt() throws Exception {
    Path file = Files.writeString(dir.resolve("audit"), "{\"time\":\"2027-01-");
    try (var log = new AuditLog(file, ApiJson.mapper(), MAX_BYTES)) {
      log.record(
          new AuditLog.Entry(
              Instant.EPOCH, "intended", "ann", "ADMIN", "::1", "POST /x", "why", null, null, 1));
    }
    assertThat(new AuditPages(file, ApiJson.mapper()).page(Optional.empty(), 10).entries())
        .extracting(AuditLog.Entry::who)
        .containsExactly("ann");
  }

  private static int number(String line) {
    return Integer.parseInt(line.replaceAll(".*\"after\":(\\d+).*", "$1"));
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
