package io.taskbroker.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.taskbroker.LogCapture;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.EmbeddedKafka;
import io.taskbroker.testkit.SecuredListener;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/// Reports about the topics that the broker produces to.
@Timeout(240)
final class TargetTopicsTest {
  private static final int MAX_MESSAGE_SIZE = 100_000;
  private static final Duration AT_ONCE = Duration.ofMillis(50);

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;

  private final AtomicReference<List<String>> problems = new AtomicReference<>();
  private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
  private final Metrics metrics = new Metrics();

  @RegisterExtension private final LogCapture log = LogCapture.of(TargetTopics.class);

  @BeforeAll
  static void startKafka() {
    var door = SecuredListener.sasl(Map.of("outbox", "secret")).withPermissions();
    kafka = EmbeddedKafka.start(dir.resolve("shared"), door);
  }

  @AfterAll
  static void stopKafka() {
    kafka.close();
  }

  @Test
  void whatIsMissingIsSaidOnceAndForgottenWhenItIsThere() {
    withTopics(
        topic("later", client(kafka.bootstrap())),
        () -> {
          await().until(() -> reported().size() == 1);
          assertThat(reported().getFirst())
              .contains("Topic later at " + kafka.bootstrap(), "does not exist", "the.key")
              .startsWith("Topic");
          assertThat(log.events().getFirst().getLevel()).isEqualTo(Level.ERROR);
          assertThat(state("later", "missing")).isEqualTo(1);
          kafka.createTopic("later", 1);
          await().until(() -> reported().isEmpty());
          assertThat(state("later", "missing")).isZero();
          assertThat(state("later", "ok")).isEqualTo(1);
          await().until(() -> log.events().size() == 2);
        });
  }

  @Test
  void unsuitableSettingsAreReported() {
    kafka.createTopic(
        new NewTopic("bad", 1, (short) 1)
            .configs(Map.of("max.message.bytes", "50000", "cleanup.policy", "compact")));
    withTopics(
        topic("bad", client(kafka.bootstrap())),
        () -> {
          await().until(() -> reported().size() == 1);
          assertThat(reported().getFirst())
              .contains("messages of 50,000 bytes only", "may have 101,024", "is compacted");
          assertThat(log.events().getFirst().getLevel()).isEqualTo(Level.WARN);
          assertThat(state("bad", "too_small")).isEqualTo(1);
          assertThat(state("bad", "compacted")).isEqualTo(1);
        });
  }

  @Test
  void theLimitsOfConsumedTopicsBoundTheNeed() {
    kafka.createTopic(
        new NewTopic("source", 1, (short) 1).configs(Map.of("max.message.bytes", "50000")));
    kafka.createTopic(
        new NewTopic("small", 1, (short) 1).configs(Map.of("max.message.bytes", "50000")));
    var check =
        new TargetCheck(
            List.of(topic("small", client(kafka.bootstrap()))),
            List.of("source"),
            MAX_MESSAGE_SIZE);
    assertThat(look(check).states()).containsExactly(TargetCheck.State.OK);
  }

  @Test
  void anUnauthorizedTopicIsUnknownAndNotMissing() throws Exception {
    kafka.createTopic("guarded", 1);
    Map<String, String> login = login();
    TargetCheck.Finding finding = look(check("guarded", login));
    assertThat(finding.states()).containsExactly(TargetCheck.State.UNKNOWN);
    assertThat(finding.problem()).contains("cannot be checked", "TopicAuthorization");

    // The topic exists, but its settings are unknown.
    grant("guarded");
    assertThat(look(check("guarded", login)))
        .isEqualTo(new TargetCheck.Finding(java.util.Set.of(TargetCheck.State.UNKNOWN), ""));

    // The topic does not exist, but Kafka might create it.
    grant("absent");
    assertThat(look(check("absent", login)).states()).containsExactly(TargetCheck.State.UNKNOWN);
  }

  @Test
  void aTopicCreatedOnUseIsNotMissing() {
    try (var creating = EmbeddedKafka.startCreatingTopics(dir.resolve("creating"))) {
      withTopics(
          topic("on-use", client(creating.bootstrap())),
          () -> {
            await().until(() -> problems.get() != null);
            assertThat(reported()).isEmpty();
            assertThat(state("on-use", "created_on_use")).isEqualTo(1);
            assertThat(log.events()).hasSize(1).allMatch(line -> line.getLevel() == Level.INFO);
          });
    }
  }

  @Test
  void anUnreachableKafkaDelaysNoStart() {
    Map<String, String> away = client("127.0.0.1:1");
    long before = System.nanoTime();
    var topics = topics(topic("any", away));
    topics.start();
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(20));
    topics.stop();
    assertThat(failures).isEmpty();
  }

  private void withTopics(TargetTopic topic, Runnable test) {
    TargetTopics topics = topics(topic);
    topics.start();
    try {
      test.run();
    } finally {
      topics.stop();
    }
    assertThat(failures).isEmpty();
  }

  private TargetTopics topics(TargetTopic topic) {
    return new TargetTopics(
        List.of(topic),
        Map.of(),
        MAX_MESSAGE_SIZE,
        metrics,
        problems::set,
        (_, failure) -> failures.add(failure),
        AT_ONCE);
  }

  private List<String> reported() {
    List<String> lines = problems.get();
    return lines == null ? List.of() : lines;
  }

  private double state(String topic, String state) {
    return metrics.targetTopics.of(topic, state).get();
  }

  private static TargetTopic topic(String name, Map<String, String> client) {
    return new TargetTopic(name, "dead letters", "the.key", client, false);
  }

  private static TargetCheck check(String topic, Map<String, String> client) {
    return new TargetCheck(List.of(topic(topic, client)), List.of(), MAX_MESSAGE_SIZE);
  }

  private static TargetCheck.Finding look(TargetCheck check) {
    try {
      return check.check().values().iterator().next();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void grant(String topic) throws Exception {
    var resource = new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL);
    var entry =
        new AccessControlEntry("User:outbox", "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW);
    try (var admin = Admin.create(Map.<String, Object>of("bootstrap.servers", kafka.bootstrap()))) {
      admin.createAcls(List.of(new AclBinding(resource, entry))).all().get();
    }
  }

  private static Map<String, String> client(String bootstrap) {
    return Map.of("bootstrap.servers", bootstrap);
  }

  private static Map<String, String> login() {
    return Map.of(
        "bootstrap.servers",
        kafka.securedBootstrap(),
        "security.protocol",
        "SASL_PLAINTEXT",
        "sasl.mechanism",
        "PLAIN",
        "sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required"
            + " username=\"outbox\" password=\"secret\";");
  }
}
