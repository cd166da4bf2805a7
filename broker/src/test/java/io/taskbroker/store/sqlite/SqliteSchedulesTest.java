package io.taskbroker.store.sqlite;

import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ScheduleStoreContract;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class SqliteSchedulesTest extends ScheduleStoreContract {
  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
  }
}
