package io.taskbroker.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.RuleHistoryContract;
import io.taskbroker.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RuleHistoryFileTest extends RuleHistoryContract {
  @TempDir private Path dir;

  private Path file() {
    return dir.resolve("store.sqlite.rules-versions.json");
  }

  @Override
  protected RuleHistory open() {
    return new RuleHistoryFile(file());
  }

  @Test
  void h22ADamagedFileEndsTheStart() throws IOException {
    Files.writeString(file(), "[{\"number\": 1");
    assertThatThrownBy(this::open)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(file().toString(), "repair the file, or delete it");
  }

  @Test
  void aVersionThatCannotBeWrittenDoesNotCount() {
    var history = new RuleHistoryFile(dir.resolve("no/such/folder"));
    assertThatThrownBy(
            () -> history.append(new RuleHistory.Version(1, Instant.EPOCH, "ann", "why", "")))
        .isInstanceOf(StoreException.class)
        .hasMessageContaining("nothing changed");
    assertThat(history.latest()).isEmpty();
  }
}
