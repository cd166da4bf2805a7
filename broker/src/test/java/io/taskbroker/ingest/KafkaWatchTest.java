package io.taskbroker.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class KafkaWatchTest {
  private final Logger logger = (Logger) LoggerFactory.getLogger(KafkaWatch.class);
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private long now;
  private final KafkaWatch watch = new KafkaWatch(source(), () -> now);

  @BeforeEach
  void listen() {
    logger.setLevel(Level.INFO);
    logger.setAdditive(false);
    lines.start();
    logger.addAppender(lines);
  }

  @AfterEach
  void stopListening() {
    logger.detachAppender(lines);
    logger.setAdditive(true);
    logger.setLevel(null);
  }

  @Test
  void anOutageIsOneLineUntilAMinuteHasPassed() {
    watch.trouble(new TimeoutException("timed out"));
    now += Duration.ofSeconds(59).toNanos();
    watch.trouble(new TimeoutException("timed out"));
    assertThat(logged())
        .containsExactly(
            "WARN Kafka at host:1 does not answer, topic tasks waits for it: timed out");

    now += Duration.ofSeconds(1).toNanos();
    watch.trouble(new TimeoutException("timed out"));
    assertThat(logged()).hasSize(2);
  }

  @Test
  void theEndOfItIsALineToo() {
    watch.fine();
    watch.trouble(new TimeoutException("timed out"));
    watch.fine();
    watch.fine();

    assertThat(logged())
        .hasSize(2)
        .last()
        .isEqualTo("INFO Topic tasks at host:1 can be read again");
  }

  @Test
  void eachTroubleSaysWhatToDo() {
    watch.trouble(new CompletionException(new UnknownTopicOrPartitionException("none")));
    watch.trouble(new SaslAuthenticationException("wrong"));
    watch.trouble(new GroupAuthorizationException("group"));
    watch.trouble(new KafkaException("Failed to construct", new ConfigException("no address")));
    watch.trouble(new KafkaException("corrupt"));

    assertThat(logged())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("ERROR Topic tasks does not exist at host:1"),
            line -> assertThat(line).startsWith("ERROR Kafka at host:1 refuses the credentials"),
            line -> assertThat(line).contains("does not let group group read topic tasks"),
            line -> assertThat(line).endsWith("no address"),
            line -> assertThat(line).isEqualTo("ERROR Reading topic tasks at host:1 failed"));
  }

  private List<String> logged() {
    return lines.list.stream()
        .map(event -> event.getLevel() + " " + event.getFormattedMessage())
        .toList();
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
