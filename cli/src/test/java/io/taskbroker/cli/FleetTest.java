package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.PostgresServer;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/// Two real brokers on one Postgres: each shows both, finds the tasks of both, and sets the rules
/// of both (ADR 43).
@Timeout(240)
@ExtendWith(SharedKafka.class)
final class FleetTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int HOUR = 3_600;

  private final PostgresServer.Database database = PostgresServer.shared().newDatabase();
  private final TaskTemplate template = new TaskTemplate(BrokerSetup.APPLICATION, "n", "t", 100, 1);

  @TempDir private Path dir;

  @Test
  void anyBrokerShowsAndRulesAll(KafkaView view) throws Exception {
    int onePort = Ports.free();
    int otherPort = Ports.free();
    BrokerSetup one = setup("fleet", view, onePort);
    BrokerSetup other =
        setup("fleet-other", view, otherPort)
            .with("kafka_topics", topics())
            .with("kafka_deadletter_topic", "fleet-dead-letters");
    view.createTopics(one.with("kafka_topics", topics()), 2);
    try (var _ = one.start().awaitServing(PATIENCE);
        var _ = other.start().awaitServing(PATIENCE)) {
      var first = new AdminCalls(onePort);
      var second = new AdminCalls(otherPort);
      String firstName = first.get("/v1/brokers").path("asked").asString();
      String secondName = second.get("/v1/brokers").path("asked").asString();
      assertThat(firstName).isNotEqualTo(secondName);
      for (AdminCalls each : List.of(first, second)) {
        await()
            .atMost(PATIENCE)
            .untilAsserted(() -> {
              assertThat(partitions(each, firstName)).isOne();
              assertThat(partitions(each, secondName)).isOne();
            });
      }

      for (int partition = 0; partition < 2; partition++) {
        byte[] task =
            template
                .task(partition)
                .setId("in-" + partition)
                .setTaskname("bad")
                .setDelay(HOUR)
                .build()
                .toByteArray();
        view.publish(one.topic(), partition, task);
      }
      for (AdminCalls each : List.of(first, second)) {
        await().atMost(PATIENCE).until(() -> owners(each).equals(List.of(firstName, secondName)));
      }

      String rules = "drop_task_killswitch: [bad]\ndemoted_namespaces: []\n";
      first.call(
          "PUT",
          "/v1/rules",
          AdminCalls.JSON.writeValueAsString(
              Map.of("rules", rules, "if_version", 0, "reason", "a test")),
          200);
      await().atMost(PATIENCE).until(() -> owners(second).isEmpty());
      JsonNode followed = second.get("/v1/rules");
      assertThat(followed.path("version").asInt()).isOne();
      assertThat(followed.path("rules").asString()).isEqualTo(rules);
      second.call(
          "PUT",
          "/v1/rules",
          AdminCalls.JSON.writeValueAsString(
              Map.of("rules", rules, "if_version", 0, "reason", "too late")),
          409);
    }
  }

  /// Number of partitions that a live broker of this name owns, as another one says.
  private static long partitions(AdminCalls admin, String name) throws Exception {
    return StreamSupport.stream(admin.get("/v1/brokers").path("brokers").spliterator(), false)
        .filter(broker -> broker.path("name").asString().equals(name))
        .filter(broker -> broker.path("alive").asBoolean())
        .mapToLong(broker -> broker.path("partitions").size())
        .sum();
  }

  /// Names of the brokers that have the tasks in flight, in order.
  private static List<String> owners(AdminCalls admin) throws Exception {
    return StreamSupport.stream(admin.get("/v1/tasks").path("tasks").spliterator(), false)
        .map(task -> task.path("broker").asString())
        .sorted()
        .toList();
  }

  private static String topics() {
    return "{fleet-tasks: {cluster: main, consumer_group: fleet-workers},"
        + " fleet-dead-letters: {cluster: main, consumer_group: fleet-workers,"
        + " produce_only: true}}";
  }

  private BrokerSetup setup(String name, KafkaView view, int adminPort) throws Exception {
    return BrokerSetup.pull(dir, name, view.bootstrap())
        .with("admin", "{addr: \"127.0.0.1:" + adminPort + "\"}")
        .with("kafka_session_timeout_ms", "6000")
        .with(
            "store",
            """
            {adapter: postgres, sqlite: {path: "%s"}, pg: {host: %s, port: %d, username: %s, \
            password: "%s", database_name: %s, run_migrations: true}}\
            """
                .formatted(
                    dir.resolve(name + ".sqlite"),
                    database.host(),
                    database.port(),
                    database.username(),
                    database.password(),
                    database.name()));
  }
}
