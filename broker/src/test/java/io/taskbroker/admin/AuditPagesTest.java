package io.taskbroker.admin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Pages of the record of acts.
final class AuditPagesTest {
  private static final int MAX_BYTES = 2_000;

  @TempDir private Path dir;
  private Path file;
  private AuditPages pages;

  @BeforeEach
  void open() throws IOException {
    file = dir.resolve("audit");
    pages = new AuditPages(file, ApiJson.mapper());
  }

  private void record(int from, int to) throws IOException {
    try (var log = new AuditLog(file, ApiJson.mapper(), MAX_BYTES)) {
      for (int i = from; i < to; i++) {
        log.record(
            new AuditLog.Entry(
                Instant.EPOCH, "done", "ann", "ADMIN", "::1", "POST /x", "no", null, null, i));
      }
    }
  }

  private static List<Integer> numbers(List<AuditLog.Entry> entries) {
    return entries.stream().map(entry -> (Integer) entry.after()).toList();
  }

  @Test
  void pagesCoverAllFilesFromTheNewest() throws IOException {
    assertThat(pages.page(Optional.empty(), 10).entries()).isEmpty();
    record(0, 50);
    List<Integer> seen = new ArrayList<>();
    Optional<String> cursor = Optional.empty();
    do {
      AuditPages.Page page = pages.page(cursor, 7);
      assertThat(page.entries()).hasSizeLessThanOrEqualTo(7);
      seen.addAll(numbers(page.entries()));
      cursor = page.cursor();
    } while (cursor.isPresent());
    assertThat(seen).isEqualTo(IntStream.range(0, 50).map(i -> 49 - i).boxed().toList());
  }

  /// A rotation between two pages neither repeats nor skips an entry.
  @Test
  void aRotationMovesNoCursor() throws IOException {
    record(0, 20);
    AuditPages.Page first = pages.page(Optional.empty(), 3);
    record(20, 40);
    List<Integer> next = numbers(pages.page(first.cursor(), 3).entries());
    assertThat(numbers(first.entries())).containsExactly(19, 18, 17);
    assertThat(next).first().isEqualTo(16);
  }

  @Test
  void aLineThatACrashCutIsLeftOut() throws Exception {
    record(0, 3);
    Files.writeString(file, "{\"time\":\"1970-", StandardOpenOption.APPEND);
    assertThat(numbers(pages.page(Optional.empty(), 10).entries())).containsExactly(2, 1, 0);
    Files.writeString(file, "\n", StandardOpenOption.APPEND);
    assertThat(numbers(pages.page(Optional.empty(), 10).entries())).containsExactly(2, 1, 0);
  }

  @Test
  void aForeignCursorIsRefused() throws IOException {
    record(0, 3);
    for (String cursor : List.of("x", "1.1", "1.x", ".", "")) {
      assertThatThrownBy(() -> pages.page(Optional.of(cursor), 10)).isInstanceOf(ApiProblem.class);
    }
  }
}
