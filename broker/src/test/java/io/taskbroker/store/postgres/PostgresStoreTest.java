package io.taskbroker.store.postgres;

import static io.taskbroker.store.Rows.pending;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreContract;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreException.Kind;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.PostgresServer.Database;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class PostgresStoreTest extends StoreContract {
  private final Database database = PostgresServer.shared().newDatabase();

  /// Takes the partitions that the contract uses.
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

  /// Without U+0000, which Postgres refuses.
  @Override
  protected String strangeText() {
    return super.strangeText().replace('\0', '\1');
  }

  @Override
  protected boolean isShared() {
    return true;
  }

  /// Even if a broker continues after others have opened the store.
  @Test
  void h23KeysOfBrokersAreDisjoint() {
    try (PostgresStore later = PostgresStore.open(PostgresSetup.options(database))) {
      long bound = later.lastKey();
      insert(pending(bound - 1));
      assertThat(store().lastKey()).isEqualTo(bound - 1);
      assertThatThrownBy(() -> insert(pending(bound)))
          .isInstanceOfSatisfying(
              StoreException.class, e -> assertThat(e.kind()).isEqualTo(Kind.FATAL))
          .hasMessageContaining("no keys left");
      assertThat(store().lastKey()).isEqualTo(bound - 1);
      assertThat(later.lastKey()).isEqualTo(bound);
    }
  }

  private static void take(PostgresStore store, String topic, int partition) {
    assertThat(store.take(new SourcePartition("cluster", "group", "", topic, partition), 1))
        .isPresent();
  }
}
