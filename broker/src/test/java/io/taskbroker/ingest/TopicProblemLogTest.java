package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.LogCapture;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.GroupMaxSizeReachedException;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.errors.InvalidGroupIdException;
import org.apache.kafka.common.errors.InvalidSessionTimeoutException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

final class TopicProblemLogTest {
  @RegisterExtension private final LogCapture log = LogCapture.of(TopicProblemLog.class);
  private long now;
  private final TopicProblemLog problems = new TopicProblemLog(source(), () -> now);

  @Test
  void anOutageIsOneLineUntilAMinuteHasPassed() {
    problems.failed(new TimeoutException("timed out"));
    now += Duration.ofSeconds(59).toNanos();
    problems.failed(new TimeoutException("timed out"));
    assertThat(log.lines())
        .containsExactly(
            "WARN Kafka at host:1 does not answer, topic tasks waits for it: timed out");

    now += Duration.ofSeconds(1).toNanos();
    problems.failed(new TimeoutException("timed out"));
    assertThat(log.lines()).hasSize(2);
  }

  @Test
  void theEndOfAnOutageIsALine() {
    problems.readable();
    problems.failed(new TimeoutException("timed out"));
    problems.readable();
    problems.readable();

    assertThat(log.lines())
        .hasSize(2)
        .last()
        .isEqualTo("INFO Topic tasks at host:1 can be read again");
  }

  @Test
  void eachProblemNamesItsFix() {
    problems.failed(new CompletionException(new UnknownTopicOrPartitionException("none")));
    problems.failed(new SaslAuthenticationException("wrong"));
    problems.failed(new GroupAuthorizationException("group"));
    problems.failed(new KafkaException("Failed to construct", new ConfigException("no address")));
    problems.failed(new KafkaException("corrupt"));

    assertThat(log.lines())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("ERROR Topic tasks does not exist at host:1"),
            line -> assertThat(line).startsWith("ERROR Kafka at host:1 refuses the credentials"),
            line -> assertThat(line).contains("does not let group group read topic tasks"),
            line -> assertThat(line).endsWith("no address"),
            line -> assertThat(line).isEqualTo("ERROR Reading topic tasks at host:1 failed"));
  }

  @Test
  void g9ARefusalSinceTheStartIsReportedAndAnOutageIsNone() {
    problems.failed(new TimeoutException("timed out"));
    problems.failed(new UnknownTopicOrPartitionException("none"));
    assertThat(problems.refusal()).isEmpty();
    for (KafkaException refusal :
        List.of(
            new InvalidSessionTimeoutException("1"),
            new InconsistentGroupProtocolException("2"),
            new GroupAuthorizationException("3"),
            new TopicAuthorizationException("4"),
            new SaslAuthenticationException("5"),
            new SslAuthenticationException("6"),
            new UnsupportedVersionException("7"),
            new InvalidTopicException("8"),
            new InvalidGroupIdException("9"),
            new GroupMaxSizeReachedException("10"))) {
      now += Duration.ofMinutes(1).toNanos();
      problems.failed(refusal);
      assertThat(problems.refusal())
          .contains("tasks")
          .isEqualTo(log.lines().getLast().substring(6));
    }
    problems.failed(new TimeoutException("timed out"));
    assertThat(problems.refusal()).isEmpty();
  }

  @Test
  void anAdmittedMemberIsNotRefusedLater() {
    problems.failed(new InconsistentGroupProtocolException("eager"));
    problems.joined();
    assertThat(problems.refusal()).isNotEmpty(); // refused in the previous generation
    now += Duration.ofSeconds(30).toNanos();
    problems.joined();
    assertThat(problems.refusal()).isEmpty();
    problems.failed(new SaslAuthenticationException("changed"));
    assertThat(problems.refusal()).isEmpty();
    assertThat(log.lines()).hasSize(3);
  }

  private static TopicSource source() {
    return new TopicSource(
        "tasks",
        "group",
        Map.of("bootstrap.servers", "host:1"),
        Duration.ofSeconds(6),
        Duration.ofSeconds(5),
        "latest");
  }
}
