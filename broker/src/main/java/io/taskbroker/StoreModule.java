package io.taskbroker;

import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.StoreConfig;
import io.taskbroker.engine.Mailbox;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.ingest.PartitionOwnership;
import io.taskbroker.ingest.StoreHistory;
import io.taskbroker.rules.RuleHistoryFile;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.RowBrowser;
import io.taskbroker.store.RuleHistory;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.postgres.PostgresOptions;
import io.taskbroker.store.postgres.PostgresStore;
import io.taskbroker.store.sqlite.ReplacedStore;
import io.taskbroker.store.sqlite.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opened store of a configuration, with its services.
///
/// @param shared whether other brokers use the same store
/// @param services started before and stopped after every user of the store
/// @param replaced the damaged file that was replaced, if any
record StoreModule(
    ActivationStore store,
    PartitionOwnership ownership,
    boolean shared,
    List<Service> services,
    Optional<ReplacedStore> replaced) {
  private static final Logger log = LoggerFactory.getLogger(StoreModule.class);

  /// Time that a start waits for Kafka; no task is delivered meanwhile.
  private static final Duration KAFKA_TIMEOUT = Duration.ofSeconds(2);

  private static final Duration KAFKA_TIMEOUT_IF_AT_MOST_ONCE = Duration.ofSeconds(10);

  /// @param startOffsets lowest offset per partition that may still be in flight
  /// @throws io.taskbroker.store.StoreException if it cannot be opened
  static StoreModule open(
      BrokerConfig config,
      Mailbox engine,
      Supplier<Map<SourcePartition, Long>> startOffsets,
      FailureSink failures) {
    return config.store().adapter() == StoreConfig.Adapter.SQLITE
        ? sqlite(config, startOffsets)
        : postgres(config, engine, failures);
  }

  private static StoreModule sqlite(
      BrokerConfig config, Supplier<Map<SourcePartition, Long>> startOffsets) {
    var store = SqliteStore.open(StageOptions.sqlite(config));
    try {
      compareWithKafka(store, config);
    } catch (RuntimeException e) {
      store.close();
      throw e;
    }
    return new StoreModule(
        store,
        PartitionOwnership.sole(
            store.watermarks(), startOffsets, store::position, store::handedOut),
        false,
        List.of(),
        store.replaced());
  }

  /// Compares the store with Kafka. A store that went back in time, or a copy of one in use, must
  /// be detected before any task is delivered; a copy, even an empty one, must not replace the
  /// original in the consumer group.
  private static void compareWithKafka(SqliteStore store, BrokerConfig config) {
    if (!store.hasHistory()) {
      return;
    }
    boolean atMostOnce = store.hasAtMostOnce();
    var history =
        new StoreHistory(
            store.name(), store::lacks, atMostOnce ? KAFKA_TIMEOUT_IF_AT_MOST_ONCE : KAFKA_TIMEOUT);
    switch (history.verdict(StageOptions.sources(config))) {
      case WHOLE -> {}
      case UNKNOWN -> {
        if (atMostOnce) {
          log.warn(
              "Kafka is unreachable: {} may be an old copy, and its at-most-once tasks are"
                  + " delivered all the same",
              config.store().sqlite().path());
        }
      }
      case WENT_BACK ->
          log.error(
              "The store {} went back in time: it lacks transactions that Kafka knows of, so an"
                  + " old snapshot was restored. {} at-most-once tasks may have been delivered"
                  + " since, so their failure policy applies; other tasks completed since run"
                  + " again",
              config.store().sqlite().path(),
              store.countAsHandedOut(System.currentTimeMillis()));
      case COPY ->
          throw new StoreException(
              StoreException.Kind.FATAL,
              "The store %s is a copy of one that another broker is using: it lacks transactions that Kafka knows of, and that broker is a member of the group. Give this broker its own store: set another path, or delete the copy with its -wal, -shm and .lock"
                  .formatted(config.store().sqlite().path()),
              null);
    }
  }

  /// Forwards database notifications to the engine.
  private record Watched(Mailbox engine) implements PostgresStore.Listener {
    @Override
    public void wentBack() {
      engine.submit(new Command.StoreRewound());
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

  /// A browser of the rows, for operators.
  RowBrowser browser() {
    return store instanceof PostgresStore postgres
        ? postgres.browser()
        : ((SqliteStore) store).browser();
  }

  /// Versions of the rules of the API: of all brokers in a shared store, else in the file.
  RuleHistory ruleHistory(Path file) {
    return store instanceof PostgresStore postgres
        ? postgres.ruleHistory()
        : new RuleHistoryFile(file);
  }

  private static StoreModule postgres(BrokerConfig config, Mailbox engine, FailureSink failures) {
    boolean migrate = config.store().postgres().runMigrations();
    var store =
        PostgresStore.open(StageOptions.postgres(config, migrate, PostgresOptions.Retry.UNBOUNDED));
    var ownership = new PartitionHandoff(store, store, engine, InstantSource.system());
    var orphans =
        new OrphanTakeover(
            store, ownership, engine, config.store().limits().contentionDrainAge(), failures);
    return new StoreModule(
        store,
        ownership,
        true,
        List.of(store.watch(new Watched(engine), failures), orphans),
        Optional.empty());
  }
}
