package io.taskbroker;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.slf4j.LoggerFactory;

/// Extension that captures log events during a test instead of writing them.
public final class LogCapture implements BeforeEachCallback, AfterEachCallback {
  private final Logger logger;
  private final Level level;
  private ListAppender<ILoggingEvent> appender = new ListAppender<>();

  private LogCapture(String logger, Level level) {
    this.logger = (Logger) LoggerFactory.getLogger(logger);
    this.level = level;
  }

  /// Captures a logger and its children at INFO and above.
  public static LogCapture of(String logger) {
    return new LogCapture(logger, Level.INFO);
  }

  /// Captures the logger of a class at INFO and above.
  public static LogCapture of(Class<?> type) {
    return of(type.getName());
  }

  /// Captures a logger and its children at DEBUG and above.
  public static LogCapture debugOf(String logger) {
    return new LogCapture(logger, Level.DEBUG);
  }

  @Override
  public void beforeEach(ExtensionContext context) {
    appender = new ListAppender<>();
    appender.list = new CopyOnWriteArrayList<>();
    appender.start();
    logger.setLevel(level);
    logger.setAdditive(false);
    logger.addAppender(appender);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    logger.detachAppender(appender);
    logger.setAdditive(true);
    logger.setLevel(null);
  }

  public List<ILoggingEvent> events() {
    return List.copyOf(appender.list);
  }

  /// Level and message of each event.
  public List<String> lines() {
    return events().stream()
        .map(event -> event.getLevel() + " " + event.getFormattedMessage())
        .toList();
  }

  /// Waits until exactly one line starts with this text.
  public void awaitLine(Duration patience, String start) {
    await()
        .atMost(patience)
        .untilAsserted(() ->
            assertThat(lines())
                .filteredOn(line -> line.startsWith(start))
                .as("%s in %s", start, lines())
                .hasSize(1));
  }
}
