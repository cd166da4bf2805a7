package io.taskbroker;

import io.taskbroker.activation.Reported;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.Command;
import io.taskbroker.ingest.Custody;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.SetAside;
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
record Storage(
    ActivationStore store,
    Custody custody,
    boolean shared,
    List<Service> services,
    Optional<SetAside> replaced) {

  /// @param lows from which offset on records of each partition may be in flight
  /// @throws io.taskbroker.store.StoreException if it cannot be opened
  static Storage open(
      BrokerConfig config,
      Mailbox engine,
      Supplier<Map<SourcePartition, Long>> lows,
      FailureSink failures) {
    return config.store().adapter() == StoreConfig.Adapter.SQLITE
        ? sqlite(config, lows)
        : postgres(config, engine, failures);
  }

  private static Storage sqlite(BrokerConfig config, Supplier<Map<SourcePartition, Long>> lows) {
    var store = SqliteStore.open(Settings.sqlite(config));
    return new Storage(
        store, Custody.sole(store.watermarks(), lows, store::position), false, List.of(), store.replaced());
  }

  /// Tells the engine what is heard of the database.
  private record Watched(Mailbox engine) implements PostgresStore.Listener {
    @Override
    public void wentBack() {
      engine.tell(new Command.WentBack());
    }

    @Override
    public void leased(long until) {
      engine.tell(new Command.Lease(TimeUnit.NANOSECONDS.toMillis(until)));
    }

    @Override
    public void reported(List<Reported> reports) {
      engine.tell(new Command.Recorded(reports));
    }
  }

  private static Storage postgres(BrokerConfig config, Mailbox engine, FailureSink failures) {
    var store =
        PostgresStore.open(Settings.postgres(config, config.store().postgres().runMigrations()));
    var custody = new SharedPartitions(store, store, engine, InstantSource.system());
    var adoptions =
        new Adoptions(
            store, custody, engine, config.store().limits().contentionDrainAge(), failures);
    return new Storage(
        store,
        custody,
        true,
        List.of(store.watch(new Watched(engine), failures), adoptions),
        Optional.empty());
  }
}
