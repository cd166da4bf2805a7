package io.taskbroker.store.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreContract;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class PostgresStoreTest extends StoreContract {
  private final Database database = PostgresServer.shared().newDatabase();

  /// The partitions of the contract are this store's.
  @Override
  protected ActivationStore open() {
    PostgresStore store = PostgresStore.open(PostgresSetup.options(database));
    take(store, "topic", 0);
    take(store, "topic", 1);
    take(store, "other", 0);
    take(store, "taskworker", 3);
    take(store, "other-topic", Integer.MAX_VALUE);
    return store;
  }

  /// Everything but U+0000.
  @Override
  protected String strangeText() {
    return super.strangeText().replace('\0', '\1');
  }

  private static void take(PostgresStore store, String topic, int partition) {
    assertThat(store.take(new SourcePartition("cluster", "group", "", topic, partition), 1))
        .isPresent();
  }
}
