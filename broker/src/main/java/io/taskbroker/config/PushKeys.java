package io.taskbroker.config;

import static io.taskbroker.config.DurationTypes.duration;
import static io.taskbroker.config.DurationTypes.durationNotZero;
import static io.taskbroker.config.KeyType.bool;
import static io.taskbroker.config.KeyType.count;
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
          KeyDoc.unused(
              "Threads that claim tasks; a power of two",
              "nothing is fetched: what becomes ready is handed out at once"),
          c -> c.fetch().threads());

  static final Key<BrokerConfig, Duration> FETCH_BACKOFF =
      TABLE.key(
          "fetch.backoff",
          duration(),
          Duration.ofMillis(100),
          KeyDoc.unused(
              "How long to wait when there was nothing to claim",
              "nothing is fetched: what becomes ready is handed out at once"),
          c -> c.fetch().backoff());

  static final Key<BrokerConfig, Integer> FETCH_BATCH_LENGTH =
      TABLE.key(
          "fetch.batch_length",
          count(1),
          1,
          KeyDoc.noted("Tasks that are claimed at once", "counts in the length of a lease only"),
          c -> c.fetch().batchLength());

  static final Key<BrokerConfig, Integer> PUSH_THREADS =
      TABLE.key(
          "push.threads",
          count(1),
          1,
          KeyDoc.noted(
              "Threads that call workers",
              "counts in the length of a lease only; how many calls of an application run at once"
                  + " is found out, up to push.max_calls, and push.connections says on how many"
                  + " connections"),
          c -> c.push().threads());

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
          KeyDoc.noted(
              "Claimed tasks that wait for a call", "counts in the length of a lease only"),
          c -> c.push().queueSize());

  static final Key<BrokerConfig, Duration> PUSH_QUEUE_TIMEOUT =
      TABLE.key(
          "push.queue.timeout",
          durationNotZero(),
          Duration.ofSeconds(5),
          KeyDoc.noted(
              "How long a claimed task waits for a place in the queue",
              "counts in the length of a lease only"),
          c -> c.push().queueTimeout());

  static final Key<BrokerConfig, Boolean> PUSH_UPDATE_BATCHED =
      TABLE.key(
          "push.update.batched",
          bool(),
          false,
          KeyDoc.noted(
              "Whether marks of pushed tasks wait for each other",
              "a task is marked if it runs longer than push.update.batch.interval, or than a second"
                  + " if this is false"),
          c -> c.push().updateBatched());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_LENGTH =
      TABLE.key(
          "push.update.batch.length",
          count(1),
          1,
          KeyDoc.noted("Marks that are written at once", "counts in the length of a lease only"),
          c -> c.push().updateBatchLength());

  static final Key<BrokerConfig, Duration> PUSH_UPDATE_BATCH_INTERVAL =
      TABLE.key(
          "push.update.batch.interval",
          durationNotZero(),
          Duration.ofMillis(100),
          KeyDoc.noted("How long a mark waits for others", "see push.update.batched"),
          c -> c.push().updateInterval());

  static final Key<BrokerConfig, Integer> PUSH_UPDATE_BATCH_SIZE =
      TABLE.key(
          "push.update.batch.size",
          count(1),
          1,
          KeyDoc.unused("Not used", "it has none in the reference either"),
          c -> c.push().updateBatchSize());

  static final Key<BrokerConfig, Integer> PUSH_MAX_CALLS =
      TABLE.key(
          "push.max_calls",
          integer(1, 8_192),
          1_024,
          KeyDoc.noted(
              "Calls to the workers of one application at once, at most",
              "how many there are up to that is found out by measuring; a key of this broker"),
          c -> c.push().maxCalls());

  static final Key<BrokerConfig, Integer> PUSH_CONNECTIONS =
      TABLE.key(
          "push.connections",
          integer(1, 256),
          12,
          KeyDoc.noted(
              "Connections to the workers of one application, rounded to as many for each address",
              "one for each address at least, and no more than 512 for all applications together;"
                  + " see [workers](workers.md); a key of this broker"),
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
              "After at most that time a connection to workers is replaced, and not before a tenth"
                  + " of it",
              "its calls end before it is closed; a key of this broker"),
          c -> c.push().connectionAge());

  private PushKeys() {}
}
