package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.util.ContextInitializer;
import ch.qos.logback.core.joran.spi.JoranException;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

final class LoggingTest {
  @AfterEach
  void restoreLogging() throws JoranException {
    var context = (LoggerContext) LoggerFactory.getILoggerFactory();
    context.reset();
    new ContextInitializer(context).autoConfig();
  }

  @Test
  void acceptsTheFilterOfTheReference() {
    assertThat(
            Logging.configure(
                "info,librdkafka=warn,h2=off,taskbroker::upkeep=debug", Logging.Format.TEXT))
        .isEmpty();

    assertThat(LoggerFactory.getLogger("io.taskbroker.upkeep").isDebugEnabled()).isTrue();
    assertThat(LoggerFactory.getLogger("io.taskbroker.ingest").isDebugEnabled()).isFalse();
    assertThat(LoggerFactory.getLogger("org.apache.kafka.x").isInfoEnabled()).isFalse();
    assertThat(LoggerFactory.getLogger("io.netty.x").isErrorEnabled()).isFalse();
  }

  @Test
  void returnsInvalidDirectives() {
    assertThat(Logging.configure("loud,info,x=shout", Logging.Format.JSON))
        .containsExactly("loud", "x=shout");
  }

  @Test
  void connectionAttemptsToKafkaAreLoggedOnlyOnRequest() {
    assertThat(Logging.configure("info,librdkafka=warn", Logging.Format.TEXT)).isEmpty();
    assertThat(LoggerFactory.getLogger("org.apache.kafka.clients.NetworkClient").isWarnEnabled())
        .isFalse();
    assertThat(LoggerFactory.getLogger("org.apache.kafka.clients.X").isWarnEnabled()).isTrue();

    assertThat(Logging.configure("info,librdkafka=info", Logging.Format.TEXT)).isEmpty();
    assertThat(LoggerFactory.getLogger("org.apache.kafka.clients.NetworkClient").isInfoEnabled())
        .isTrue();
  }

  @Test
  void failedLoginsAreNotLoggedByTheClient() {
    assertThat(output("info")).doesNotContain("failed authentication").contains("Uncaught error");
    assertThat(output("info,librdkafka=info")).contains("failed authentication", "Uncaught error");
  }

  @Test
  void failedGroupJoinsAreNotLoggedByTheClient() {
    assertThat(output("info")).doesNotContain("JoinGroup failed");
    assertThat(output("info,librdkafka=info")).contains("JoinGroup failed");
  }

  private static String output(String filter) {
    var bytes = new ByteArrayOutputStream();
    var stream = new LineStream("log", bytes);
    Logging.configure(filter, Logging.Format.TEXT, stream);
    var client = LoggerFactory.getLogger("org.apache.kafka.clients.NetworkClient");
    client.error("Connection to node {} failed authentication due to: {}", 1, "a password");
    client.error("Uncaught error in request completion");
    LoggerFactory.getLogger("org.apache.kafka.clients.consumer.internals.ConsumerCoordinator")
        .error("JoinGroup failed due to fatal error: {}", "no");
    assertThat(stream.flush(Duration.ofSeconds(10))).isTrue();
    return bytes.toString(UTF_8);
  }
}
