package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.BrowserContract;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.testkit.PostgresServer;

final class PostgresBrowserTest extends BrowserContract {
  private final PostgresServer.Database database = PostgresServer.shared().newDatabase();

  @Override
  protected ActivationStore open() {
    PostgresStore store = PostgresStore.open(PostgresSetup.options(database));
    assertThat(store.take(new SourcePartition("cluster", "group", "", "taskworker", 3), 1))
        .isPresent();
    return store;
  }

  @Override
  protected RowBrowser browser(ActivationStore store) {
    return ((PostgresStore) store).browser();
  }
}
