package io.taskbroker;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.Command;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.ReplacedStore;
import io.taskbroker.store.sqlite.SqliteStore;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/// The store that a configuration asks for, opened, and what comes with it.
///
/// @param shared whether other brokers work on it, too
/// @param services what is to run for as long as it is used, started before and stopped after all
///   that uses it
/// @param replaced the file that was damaged, if one was
record StoreModule(
    ActivationStore store,
    PartitionOwnership custody,
    boolean shared,
    List<Service> services,
    Optional<ReplacedStore> replaced) {

  /// @param lows from which offset on records of each partition may be in flight
  /// @throws io.taskbroker.store.StoreException if it cannot be opened
  static StoreModule open(
      BrokerConfig config,
      Mailbox engine,
      Supplier<Map<SourcePartition, Long>> lows,
      FailureSink failures) {
    return config.store().adapter() == StoreConfig.Adapter.SQLITE
        ? sqlite(config, lows)
        : postgres(config, engine, failures);
  }

  private static StoreModule sqlite(
      BrokerConfig config, Supplier<Map<SourcePartition, Long>> lows) {
    var store = SqliteStore.open(StageOptions.sqlite(config));
    return new StoreModule(
        store,
        PartitionOwnership.sole(store.watermarks(), lows),
        false,
        List.of(),
        store.replaced());
  }

  /// Tells the engine what is heard of the database.
  private record Watched(Mailbox engine) implements PostgresStore.Listener {
    @Override
    public void leased(long until, long wallUntil) {
      engine.submit(new Command.LeaseRenewed(TimeUnit.NANOSECONDS.toMillis(until), wallUntil));
    }

    @Override
    public void lost(String topic, int partition) {
      engine.submit(new Command.PartitionLost(topic, partition));
    }

    @Override
    public void reported(List<RemoteReport> reports) {
      engine.submit(new Command.RemoteReportsRead(reports));
    }
  }

  private static StoreModule postgres(BrokerConfig config, Mailbox engine, FailureSink failures) {
    boolean migrate = config.store().postgres().runMigrations();
    var store =
        PostgresStore.open(StageOptions.postgres(config, migrate, PostgresOptions.Retry.UNBOUNDED));
    var custody = new PartitionHandoff(store, engine, InstantSource.system());
    var adoptions =
        new OrphanTakeover(
            store, custody, engine, config.store().limits().contentionDrainAge(), failures);
    return new StoreModule(
        store,
        custody,
        true,
        List.of(store.watch(new Watched(engine), failures), adoptions),
        Optional.empty());
  }
}
