package io.taskbroker.store.postgres;

import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.RuleHistoryContract;
import io.taskbroker.testkit.PostgresServer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class RuleVersionTableTest extends RuleHistoryContract {
  private final PostgresServer.Database database = PostgresServer.shared().newDatabase();
  private final List<PostgresStore> stores = new ArrayList<>();

  /// Of another broker each time.
  @Override
  protected RuleHistory open() {
    PostgresStore store = PostgresStore.open(PostgresSetup.options(database));
    stores.add(store);
    return store.ruleHistory();
  }

  @AfterEach
  void close() {
    stores.forEach(PostgresStore::close);
  }
}
