package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.duration;
import static io.taskbroker.config.DurationTypes.durationNotZero;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
import static io.taskbroker.config.KeyType.integer;

import java.time.Duration;

/// Configuration keys: calls to workers.
final class PushKeys {
  static final KeyTable<BrokerConfig> TABLE = new KeyTable<>("Push mode", "Calls to workers");

  static final Key<BrokerConfig, Integer> FETCH_THREADS =
      TABLE.key(
          "fetch.threads",
          integer(1, 256),
          1,
          KeyDoc.unused(
              "Threads that claim tasks; a power of two",
              "there is no fetch loop: a ready task is delivered at once"),
          c -> c.fetch().threads());

  static final Key<BrokerConfig, Duration> FETCH_BACKOFF =
      TABLE.key(
          "fetch.backoff",
          duration(),
          Duration.ofMillis(100),
          KeyDoc.unused(
              "Wait when there was nothing to claim",
              "there is no fetch loop: a ready task is delivered at once"),
          c -> c.fetch().backoff());

  static final Key<BrokerConfig, Integer> FETCH_BATCH_LENGTH =
      TABLE.key(
          "fetch.batch_length",
          count(1),
          1,
          KeyDoc.noted("Tasks claimed at once", "affects the duration of a lease only"),
          c -> c.fetch().batchLength());

  static final Key<BrokerConfig, Integer> PUSH_THREADS =
      TABLE.key(
          "push.threads",
          count(1),
          1,
          KeyDoc.noted(
              "Threads that call workers",
              "affects the duration of a lease only; the number of concurrent calls per"
                  + " application is adaptive, up to push.max_calls, on push.connections"
                  + " connections"),
          c -> c.push().threads());

  static final Key<BrokerConfig, Duration> PUSH_TIMEOUT =
      TABLE.key(
          "push.timeout",
          durationNotZero(),
          Duration.ofSeconds(30),
          "Timeout of a call to a worker",
          c -> c.push().timeout());

  static final Key<BrokerConfig, Integer> PUSH_QUEUE_SIZE =
      TABLE.key(
          "push.queue.size",
          count(1),
          1,
          KeyDoc.noted(
              "Claimed tasks that may wait for a call", "affects the duration of a lease only"),
          c -> c.push().queueSize());

  static final Key<BrokerConfig, Duration> PUSH_QUEUE_TIMEOUT =
      TABLE.key(
          "push.queue.timeout",
          durationNotZero(),
          Duration.ofSeconds(5),
          KeyDoc.noted(
              "Maximum wait of a claimed task for room in the queue",
              "affects the duration of a lease only"),
          c -> c.push().queueTimeout());

  static final Key<BrokerConfig, Boolean> PUSH_UPDATE_BATCHED =
      TABLE.key(
          "push.update.batched",
          bool(),
          false,
          KeyDoc.noted(
              "Whether status updates of pushed tasks are batched",
              "a task's status is updated if it runs longer than push.update.batch.interval, or"
                  + " than one second if this is false"),
          c -> c.push().updateBatched());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_LENGTH =
      TABLE.key(
          "push.update.batch.length",
          count(1),
          1,
          KeyDoc.noted("Status updates written at once", "affects the duration of a lease only"),
          c -> c.push().updateBatchLength());

  static final Key<BrokerConfig, Duration> PUSH_UPDATE_BATCH_INTERVAL =
      TABLE.key(
          "push.update.batch.interval",
          durationNotZero(),
          Duration.ofMillis(100),
          KeyDoc.noted("Maximum wait of a status update for its batch", "see push.update.batched"),
          c -> c.push().updateInterval());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_SIZE =
      TABLE.key(
          "push.update.batch.size",
          count(1),
          1,
          KeyDoc.unused("Unused", "unused in the reference, too"),
          c -> c.push().updateBatchSize());

  static final Key<BrokerConfig, Integer> PUSH_MAX_CALLS =
      TABLE.key(
          "push.max_calls",
          integer(1, 8_192),
          1_024,
          KeyDoc.noted(
              "Maximum concurrent calls to the workers of one application",
              "the number below that is adaptive, by measurement; a key of this broker"),
          c -> c.push().maxCalls());

  static final Key<BrokerConfig, Integer> PUSH_CONNECTIONS =
      TABLE.key(
          "push.connections",
          integer(1, 256),
          12,
          KeyDoc.noted(
              "Connections to the workers of one application, rounded to the same number per"
                  + " address",
              "at least one per address, and at most 512 for all applications together; see"
                  + " [workers](workers.md); a key of this broker"),
          c -> c.push().connections());

  static final Key<BrokerConfig, Duration> PUSH_CONNECTION_AGE =
      TABLE.key(
          "push.connection_age",
          duration()
              .where(
                  age ->
                      age.compareTo(Duration.ofSeconds(1)) >= 0
                          && age.compareTo(Duration.ofDays(1)) <= 0,
                  ", from 1s to 86400s"),
          Duration.ofSeconds(30),
          KeyDoc.noted(
              "Maximum age of a connection to workers before it is replaced; never before a tenth"
                  + " of it",
              "its calls end before it closes; a key of this broker"),
          c -> c.push().connectionAge());

  private PushKeys() {}
}
