package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.FinishedContract;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.testkit.PostgresServer;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class PostgresFinishedTest extends FinishedContract {
  private final PostgresServer.Database database = PostgresServer.shared().newDatabase();

  @Override
  protected ActivationStore open() {
    PostgresOptions options = PostgresSetup.options(database);
    var limits =
        new PostgresOptions.Limits(
            0, options.limits().lease(), options.limits().drainAge(), MAX_BYTES);
    PostgresStore store =
        PostgresStore.open(
            new PostgresOptions(
                options.address(), options.login(), options.migrator(), limits, options.retry()));
    assertThat(store.take(new SourcePartition("cluster", "group", "", "taskworker", 3), 1))
        .isPresent();
    return store;
  }

  @Override
  protected RowBrowser browser(ActivationStore opened) {
    return ((PostgresStore) opened).browser();
  }
}
