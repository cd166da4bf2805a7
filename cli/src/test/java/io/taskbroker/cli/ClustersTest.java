package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.Behaviour;
import io.taskbroker.testkit.Behaviour.Run;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.ExecutionLog;
import io.taskbroker.testkit.KafkaCertificates;
import io.taskbroker.testkit.PushWorker;
import io.taskbroker.testkit.SecuredListener;
import io.taskbroker.testkit.TaskTemplate;
import io.taskbroker.testkit.WorkerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/// A real process between two clusters: tasks, retries and dead letters on an open one, raw events
/// on one with TLS and a password.
@Timeout(300)
@ExtendWith(SharedKafka.class)
final class ClustersTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String EVENTS = "clusters-events";
  private static final String UNREAD = "clusters-unread";
  private static final String PASSWORD = "open-sesame";
  private static final int TASKS = 100;
  private static final int ALL = 300;

  /// One in this many tasks of a kind is retried once.
  private static final int RETRIED = 10;

  private final ExecutionLog log = new ExecutionLog(ALL + 2);
  private final TaskTemplate template =
      new TaskTemplate(BrokerSetup.APPLICATION, "tasks", "t", 100, 1);

  @TempDir private Path dir;

  @Test
  void w22RawEventsAndTasksOfTwoClustersRunOnceThroughAKillAndAResetOffset(KafkaView view)
      throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "clusters", view.bootstrap());
    var certificates = KafkaCertificates.make(dir.resolve("certificates"));
    var listener = SecuredListener.saslTls(certificates, Map.of("broker", PASSWORD));
    try (var far = EmbeddedKafka.start(dir.resolve("far"), listener);
        var producer = producer(far);
        var worker =
            PushWorker.start(WorkerOptions.of(setup.address()), ClustersTest::behave, log)) {
      configure(setup, view, far, certificates, PASSWORD, worker);
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await().atMost(PATIENCE).untilAsserted(() -> assertTopicsCreated(setup, view, far));
        for (int task = 0; task < TASKS; task++) {
          view.publish(setup.topic(), template.task(task).build().toByteArray());
        }
        for (int event = TASKS; event < ALL; event++) {
          publish(producer, event);
        }
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> assertThat(log.completedTasks()).isEqualTo(ALL));
        assertThat(committed(far, setup)).as("acknowledged at the kill").isLessThan(ALL - TASKS);
        broker.kill();
      }
      var again = setup.start().awaitServing(PATIENCE);
      publish(producer, ALL);
      await().atMost(PATIENCE).until(() -> log.completedTasks() == ALL + 1);
      assertRuns();
      assertThat(again.stop(PATIENCE)).isZero();
      assertThat(committed(far, setup)).isEqualTo(ALL - TASKS + 1);

      reset(far, setup);
      again = setup.start().awaitServing(PATIENCE);
      publish(producer, ALL + 1);
      await().atMost(PATIENCE).until(() -> log.completedTasks() == ALL + 2);
      assertRuns();
      assertThat(again.stop(PATIENCE)).isZero();

      assertThat(view.published(setup.deadLetters())).as("dead letters").isZero();
      assertThat(view.published(setup.topic()))
          .as("tasks, and the retries of both topics")
          .isEqualTo(TASKS + ALL / RETRIED);
      assertThat(setup.output())
          .noneMatch(line -> line.contains(PASSWORD))
          .anyMatch(line -> line.contains("Topic " + UNREAD) && line.contains("is not read"));
      assertThat(errors(setup))
          .as("errors, except while topics are created on a busy machine")
          .allMatch(line ->
              line.contains(" does not exist at ")
                  || line.contains("Timed out waiting for a node"));
      assertThat(groups(view.bootstrap())).contains(setup.group()).doesNotContain("unread-group");
    }
  }

  @Test
  void g8AWrongPasswordIsOneLineAndTheOtherClusterGoesOn(KafkaView view) throws Exception {
    BrokerSetup setup = BrokerSetup.pull(dir, "locked-out", view.bootstrap());
    var certificates = KafkaCertificates.make(dir.resolve("certificates"));
    var listener = SecuredListener.saslTls(certificates, Map.of("broker", PASSWORD));
    try (var far = EmbeddedKafka.start(dir.resolve("far"), listener);
        var worker =
            PushWorker.start(
                WorkerOptions.of(setup.address()), Behaviour.completing(Duration.ZERO), log)) {
      far.createTopic(EVENTS, 1);
      configure(setup, view, far, certificates, "wrong-password", worker);
      try (var broker = setup.start().awaitServing(PATIENCE)) {
        await()
            .atMost(PATIENCE)
            .untilAsserted(() ->
                assertThat(setup.output())
                    .anyMatch(
                        line -> line.contains("refuses the credentials") && line.contains(EVENTS)));
        view.publish(setup.topic(), template.task(0).build().toByteArray());
        await().atMost(PATIENCE).until(() -> log.completedTasks() == 1);
        await()
            .during(Duration.ofSeconds(3))
            .untilAsserted(() ->
                assertThat(errors(setup))
                    .extracting(line -> line.substring(line.indexOf(" ERROR ")))
                    .doesNotHaveDuplicates());
        assertThat(broker.isAlive()).isTrue();
      }
      assertThat(setup.output())
          .noneMatch(line -> line.contains("wrong-password"))
          .noneMatch(line -> line.startsWith("\tat "));
    }
  }

  private static List<String> errors(BrokerSetup setup) throws IOException {
    return setup.output().stream().filter(line -> line.contains(" ERROR ")).toList();
  }

  private static Run behave(TaskActivation activation, int start) {
    int number = TaskTemplate.numberOf(activation);
    return number % RETRIED == 0 && number < ALL && start == 1
        ? Run.retrying(10, 3, 0)
        : Run.completing(10);
  }

  private void assertRuns() {
    for (int task = 0; task < ALL; task++) {
      assertThat(log.starts(task))
          .as("runs of task %d", task)
          .isEqualTo(task % RETRIED == 0 ? 2 : 1);
    }
    assertThat(log.strangers()).isZero();
  }

  private static void configure(
      BrokerSetup setup,
      KafkaView near,
      EmbeddedKafka far,
      KafkaCertificates certificates,
      String password,
      PushWorker worker) {
    setup
        .with("delivery_mode", "push")
        .with("worker_map", "{%s: \"%s\"}".formatted(BrokerSetup.APPLICATION, worker.url()))
        .with("create_missing_topics", "true")
        .with("default_topic_partitions", "2")
        .with("kafka_retry_topic", setup.topic())
        .with(
            "kafka_clusters",
            """

              near: {address: "%s"}
              far:
                address: "%s"
                security_protocol: sasl_ssl
                sasl_mechanism: scram-sha-512
                sasl_username: broker
                sasl_password: %s
                ssl_ca_location: "%s"
            """
                .formatted(near.bootstrap(), far.securedBootstrap(), password, certificates.ca()))
        .with(
            "kafka_topics",
            """

              %1$s: {cluster: near, consumer_group: %2$s}
              %3$s: {cluster: near, consumer_group: %2$s, produce_only: true}
              %4$s: {cluster: near, consumer_group: unread-group, consumer_disabled: true}
              %5$s:
                cluster: far
                consumer_group: %2$s
                auto_commit_interval_ms: 600000
                raw: {namespace: events, application: %6$s, taskname: on_event, processing_deadline_duration: 20}
            """
                .formatted(
                    setup.topic(),
                    setup.group(),
                    setup.deadLetters(),
                    UNREAD,
                    EVENTS,
                    BrokerSetup.APPLICATION));
  }

  private static void assertTopicsCreated(BrokerSetup setup, KafkaView near, EmbeddedKafka far)
      throws Exception {
    assertThat(topics(near.bootstrap())).contains(setup.topic(), setup.deadLetters(), UNREAD);
    assertThat(topics(far.bootstrap())).contains(EVENTS).doesNotContain(setup.topic());
  }

  private static Set<String> topics(String bootstrap) throws Exception {
    try (var admin = admin(bootstrap)) {
      return admin.listTopics().names().get();
    }
  }

  private static List<String> groups(String bootstrap) throws Exception {
    try (var admin = admin(bootstrap)) {
      return admin.listGroups().all().get().stream().map(GroupListing::groupId).toList();
    }
  }

  /// Number of events committed by the group.
  private static long committed(EmbeddedKafka kafka, BrokerSetup setup) throws Exception {
    try (var admin = admin(kafka.bootstrap())) {
      return admin
          .listConsumerGroupOffsets(setup.group())
          .partitionsToOffsetAndMetadata()
          .get()
          .values()
          .stream()
          .mapToLong(OffsetAndMetadata::offset)
          .sum();
    }
  }

  private static void reset(EmbeddedKafka kafka, BrokerSetup setup) throws Exception {
    var offsets = new HashMap<TopicPartition, OffsetAndMetadata>();
    for (int partition = 0; partition < 2; partition++) {
      offsets.put(new TopicPartition(EVENTS, partition), new OffsetAndMetadata(0));
    }
    try (var admin = admin(kafka.bootstrap())) {
      admin.alterConsumerGroupOffsets(setup.group(), offsets).all().get();
    }
  }

  private static Admin admin(String bootstrap) {
    return Admin.create(Map.<String, Object>of("bootstrap.servers", bootstrap));
  }

  private static KafkaProducer<byte[], byte[]> producer(EmbeddedKafka kafka) {
    return new KafkaProducer<>(
        Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  /// Publishes an event whose header carries a task number.
  private static void publish(KafkaProducer<byte[], byte[]> producer, int number) throws Exception {
    var message =
        new ProducerRecord<byte[], byte[]>(
            EVENTS, number % 2, null, ("event " + number).getBytes(UTF_8));
    message.headers().add("task-number", Integer.toString(number).getBytes(UTF_8));
    producer.send(message).get();
  }
}
