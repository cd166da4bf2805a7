package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.store.postgres.PostgresOffsetLookup;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.sqlite.SqliteOffsetLookup;

/// Factory of read-only connections to the store of a configuration, for tools beside the broker.
public final class StoreReaders {
  private StoreReaders() {}

  /// Opens the store for the audit; the caller closes it.
  ///
  /// @throws io.taskbroker.store.StoreException if it cannot be read
  public static OffsetLookup offsets(BrokerConfig config) {
    return config.store().adapter() == StoreConfig.Adapter.SQLITE
        ? SqliteOffsetLookup.open(config.store().sqlite().path())
        : PostgresOffsetLookup.open(
            StageOptions.postgres(config, false, PostgresOptions.Retry.UNBOUNDED));
  }
}
