package io.taskbroker;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.Command;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.ingest.StoreHistory;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.ReplacedStore;
import io.taskbroker.store.sqlite.SqliteStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
  private static final Logger log = LoggerFactory.getLogger(StoreModule.class);

  /// How long a start may wait for Kafka: nothing is handed out meanwhile.
  private static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final Duration PATIENCE_IF_AT_MOST_ONCE = Duration.ofSeconds(10);

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
    try {
      compareWithKafka(store, config);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
    return new StoreModule(
        store,
        PartitionOwnership.sole(store.watermarks(), lows, store::position, store::handedOut),
        false,
        List.of(),
        store.replaced());
  }

  /// Nothing may be handed out of a store that went back, or is the copy of one in use, before that
  /// is known; and a copy must not take the place of the original in the group, be it empty.
  private static void compareWithKafka(SqliteStore store, BrokerConfig config) {
    if (!store.hasHistory()) {
      return;
    }
    boolean atMostOnce = store.hasAtMostOnce();
    var history =
        new StoreHistory(
            store.name(), store::lacks, atMostOnce ? PATIENCE_IF_AT_MOST_ONCE : PATIENCE);
    switch (history.verdict(StageOptions.sources(config))) {
      case WHOLE -> {}
      case UNKNOWN -> {
        if (atMostOnce) {
          log.warn(
              "Kafka does not answer: whether {} is an old copy is not known, and what it has that"
                  + " may run only once is handed out",
              config.store().sqlite().path());
        }
      }
      case WENT_BACK ->
          log.error(
              "The store {} went back in time: Kafka knows of transactions that it does not have. A"
                  + " snapshot of it was put back. {} tasks that may run only once may have been"
                  + " handed out since, and meet their failure policy; others that were done since"
                  + " run again",
              config.store().sqlite().path(),
              store.countAsHandedOut(System.currentTimeMillis()));
      case COPY ->
          throw new StoreException(
              StoreException.Kind.FATAL,
              "The store %s is a copy of one that another broker is using now: Kafka knows of transactions that it does not have, and that broker is a member of the group. Give this broker a store of its own: another path, or delete the copy with its -wal, -shm and .lock"
                  .formatted(config.store().sqlite().path()),
              null);
    }
  }

  /// Tells the engine what is heard of the database.
  private record Watched(Mailbox engine) implements PostgresStore.Listener {
    @Override
    public void wentBack() {
      engine.submit(new Command.WentBack());
    }

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
    var custody = new PartitionHandoff(store, store, engine, InstantSource.system());
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
