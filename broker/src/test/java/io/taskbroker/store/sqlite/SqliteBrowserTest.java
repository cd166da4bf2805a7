package io.taskbroker.store.sqlite;

import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.BrowserContract;
import io.taskbroker.store.RowBrowser;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

final class SqliteBrowserTest extends BrowserContract {
  @TempDir private Path folder;

  @Override
  protected ActivationStore open() {
    return SqliteStore.open(new SqliteOptions(folder.resolve("store.sqlite"), 0));
  }

  @Override
  protected RowBrowser browser(ActivationStore store) {
    return new SqliteBrowser(folder.resolve("store.sqlite"));
  }
}
