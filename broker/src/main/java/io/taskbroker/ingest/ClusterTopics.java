package io.taskbroker.ingest;

import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.FailureText;
import io.taskbroker.runtime.LogInterval;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.DescribeTopicsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Declared topics of one cluster, and the thread that checks and creates them. It asks every few
/// seconds, logs a problem when it changes and once a minute, and ends when all topics exist.
final class ClusterTopics {
  private static final Logger log = LoggerFactory.getLogger(DeclaredTopics.class);
  private static final int TIMEOUT_MILLIS = 4000;
  private static final Duration RETRY_AFTER = Duration.ofSeconds(2);
  private static final Duration REPEAT_AFTER = Duration.ofMinutes(1);
  private static final short ONE_REPLICA = 1;

  private final Map<String, DeclaredTopic> pending = new LinkedHashMap<>();
  private final Map<String, String> clientProperties;
  private final String bootstrap;
  private final FailureSink failures;
  private final LogInterval problems = new LogInterval(REPEAT_AFTER);
  private final CountDownLatch firstRound = new CountDownLatch(1);
  private final CountDownLatch stopAsked = new CountDownLatch(1);
  private @Nullable Thread thread;

  /// @param topics of one cluster; at least one
  ClusterTopics(List<DeclaredTopic> topics, FailureSink failures) {
    topics.forEach(topic -> pending.put(topic.name(), topic));
    this.clientProperties = topics.getFirst().clientProperties();
    this.bootstrap = clientProperties.getOrDefault("bootstrap.servers", "");
    this.failures = failures;
  }

  void start() {
    thread = Thread.ofPlatform().daemon().name("topics-" + bootstrap).start(this::run);
  }

  /// @param end of waiting, in nanoseconds of [System#nanoTime]
  void awaitFirstRound(long end) {
    try {
      boolean over = firstRound.await(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
      log.trace("Asked {} for its topics: {}", bootstrap, over);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  void askToStop() {
    stopAsked.countDown();
    if (thread != null) {
      thread.interrupt();
    }
  }

  void awaitStop() {
    Thread running = thread;
    if (running == null) {
      return;
    }
    try {
      if (!running.join(Duration.ofMillis(TIMEOUT_MILLIS))) {
        log.warn("Thread {} does not end", running.getName());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    Admin admin = null;
    try {
      while (!pending.isEmpty()) {
        try {
          if (admin == null) {
            admin = Admin.create(ClientSettings.admin(clientProperties, "taskbroker-topics"));
          }
          check(admin);
        } catch (InterruptException e) {
          throw e;
        } catch (KafkaException e) {
          logProblem(
              "Cannot ask Kafka at %s for topics %s, retrying: %s"
                  .formatted(bootstrap, pending.keySet(), FailureText.ofRoot(e)));
        }
        firstRound.countDown();
        if (!pending.isEmpty() && stopAsked.await(RETRY_AFTER.toMillis(), TimeUnit.MILLISECONDS)) {
          return;
        }
      }
    } catch (InterruptedException | InterruptException e) {
      if (stopAsked.getCount() > 0) {
        failures.failed("topics of " + bootstrap, e);
      }
    } catch (RuntimeException | Error e) {
      failures.failed("topics of " + bootstrap, e);
    } finally {
      firstRound.countDown();
      if (admin != null) {
        admin.close(Duration.ZERO);
      }
    }
  }

  /// Asks for all missing topics, and creates those that may be created.
  private void check(Admin admin) throws InterruptedException {
    var missing = new ArrayList<NewTopic>();
    var options = new DescribeTopicsOptions().timeoutMs(TIMEOUT_MILLIS);
    for (var answer :
        admin.describeTopics(pending.keySet(), options).topicNameValues().entrySet()) {
      DeclaredTopic topic = topic(answer.getKey());
      KafkaException failure = failure(answer.getValue());
      if (failure == null) {
        found(topic);
      } else if (!(failure instanceof UnknownTopicOrPartitionException)) {
        throw failure;
      } else if (topic.mayBeCreated()) {
        missing.add(new NewTopic(topic.name(), topic.partitions(), ONE_REPLICA));
      }
    }
    if (!missing.isEmpty()) {
      create(admin, missing);
    }
    List<String> absent = pending.keySet().stream().sorted().toList();
    if (!absent.isEmpty()) {
      logProblem(
          "Topics %s do not exist at %s: create them, or correct their names"
              .formatted(absent, bootstrap));
    }
  }

  private void create(Admin admin, List<NewTopic> missing) throws InterruptedException {
    var options = new CreateTopicsOptions().timeoutMs(TIMEOUT_MILLIS);
    for (var answer : admin.createTopics(missing, options).values().entrySet()) {
      DeclaredTopic topic = topic(answer.getKey());
      KafkaException failure = failure(answer.getValue());
      if (failure == null) {
        log.info(
            "Created topic {} with {} partitions at {}",
            topic.name(),
            topic.partitions(),
            bootstrap);
        found(topic);
      } else if (failure instanceof TopicExistsException) {
        found(topic); // another client was faster
      } else {
        throw failure;
      }
    }
  }

  private DeclaredTopic topic(String name) {
    DeclaredTopic topic = pending.get(name);
    if (topic == null) {
      throw new IllegalStateException("Kafka answered for topic " + name + ", which was not asked");
    }
    return topic;
  }

  private void found(DeclaredTopic topic) {
    pending.remove(topic.name());
    if (topic.unread()) {
      log.warn(
          "Topic {} at {} exists and is not read: its consumer is disabled",
          topic.name(),
          bootstrap);
    }
  }

  private void logProblem(String what) {
    if (stopAsked.getCount() > 0 && problems.isDue(what, System.nanoTime())) {
      log.error(what);
    }
  }

  /// The failure that Kafka answered with; null if there is none.
  private static @Nullable KafkaException failure(KafkaFuture<?> answer)
      throws InterruptedException {
    try {
      answer.get(2L * TIMEOUT_MILLIS, TimeUnit.MILLISECONDS);
      return null;
    } catch (ExecutionException e) {
      return e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e);
    } catch (java.util.concurrent.TimeoutException e) {
      return new KafkaException("no answer", e);
    }
  }
}
