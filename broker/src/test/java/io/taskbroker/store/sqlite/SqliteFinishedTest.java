package io.taskbroker.store.sqlite;

import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.FinishedContract;
import io.taskbroker.store.RowBrowser;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class SqliteFinishedTest extends FinishedContract {
  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(
        new SqliteOptions(
            folder.resolve("store.sqlite"),
            0,
            false,
            SqliteOptions.MAX_VACUUM_PAGES,
            MAX_BYTES));
  }

  @Override
  protected RowBrowser browser(ActivationStore opened) {
    return new SqliteBrowser(folder.resolve("store.sqlite"));
  }
}
