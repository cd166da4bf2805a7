package io.taskbroker.config;

import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.duration;
import static io.taskbroker.config.KeyType.durationNotZero;
import static io.taskbroker.config.KeyType.integer;

import java.time.Duration;

/// The keys of an area: How workers are called.
final class PushKeys {
  static final KeyTable<BrokerConfig> TABLE = new KeyTable<>("Push mode", "How workers are called");

  static final Key<BrokerConfig, Integer> FETCH_THREADS =
      TABLE.key(
          "fetch.threads",
          integer(1, 256),
          1,
          "Threads that claim tasks; a power of two",
          c -> c.fetch().threads());

  static final Key<BrokerConfig, Duration> FETCH_BACKOFF =
      TABLE.key(
          "fetch.backoff",
          duration(),
          Duration.ofMillis(100),
          "How long to wait when there was nothing to claim",
          c -> c.fetch().backoff());

  static final Key<BrokerConfig, Integer> FETCH_BATCH_LENGTH =
      TABLE.key(
          "fetch.batch_length",
          count(1),
          1,
          "Tasks that are claimed at once",
          c -> c.fetch().batchLength());

  static final Key<BrokerConfig, Integer> PUSH_THREADS =
      TABLE.key("push.threads", count(1), 1, "Threads that call workers", c -> c.push().threads());

  static final Key<BrokerConfig, Duration> PUSH_TIMEOUT =
      TABLE.key(
          "push.timeout",
          durationNotZero(),
          Duration.ofSeconds(30),
          "How long a call of a worker may take",
          c -> c.push().timeout());

  static final Key<BrokerConfig, Integer> PUSH_QUEUE_SIZE =
      TABLE.key(
          "push.queue.size",
          count(1),
          1,
          "Claimed tasks that wait for a call",
          c -> c.push().queueSize());

  static final Key<BrokerConfig, Duration> PUSH_QUEUE_TIMEOUT =
      TABLE.key(
          "push.queue.timeout",
          durationNotZero(),
          Duration.ofSeconds(5),
          "How long a claimed task waits for a place in the queue",
          c -> c.push().queueTimeout());

  static final Key<BrokerConfig, Boolean> PUSH_UPDATE_BATCHED =
      TABLE.key(
          "push.update.batched",
          bool(),
          false,
          "Whether marks of pushed tasks wait for each other",
          c -> c.push().updateBatched());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_LENGTH =
      TABLE.key(
          "push.update.batch.length",
          count(1),
          1,
          "Marks that are written at once",
          c -> c.push().updateBatchLength());

  static final Key<BrokerConfig, Duration> PUSH_UPDATE_BATCH_INTERVAL =
      TABLE.key(
          "push.update.batch.interval",
          durationNotZero(),
          Duration.ofMillis(100),
          "How long a mark waits for others",
          c -> c.push().updateInterval());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_SIZE =
      TABLE.key("push.update.batch.size", count(1), 1, "Not used", c -> c.push().updateBatchSize());

  private PushKeys() {}
}
