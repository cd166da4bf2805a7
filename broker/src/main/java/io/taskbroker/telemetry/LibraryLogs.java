package io.taskbroker.telemetry;

import java.text.MessageFormat;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/// Bridge from `java.util.logging`, which gRPC uses, to the broker's log.
final class LibraryLogs extends Handler {
  private static final int WARNING = java.util.logging.Level.WARNING.intValue();
  private static final int INFO = java.util.logging.Level.INFO.intValue();

  /// Replaces all handlers of the root logger.
  static void install() {
    java.util.logging.Logger root = java.util.logging.Logger.getLogger("");
    for (Handler other : root.getHandlers()) {
      root.removeHandler(other);
    }
    root.addHandler(new LibraryLogs());
  }

  @Override
  public void publish(LogRecord event) {
    String name = event.getLoggerName() == null ? "java" : event.getLoggerName();
    LoggerFactory.getLogger(name)
        .atLevel(level(event.getLevel().intValue()))
        .setCause(event.getThrown())
        .log(() -> text(event));
  }

  private static Level level(int value) {
    if (value > WARNING) {
      return Level.ERROR;
    } else if (value > INFO) {
      return Level.WARN;
    }
    return value == INFO ? Level.INFO : Level.DEBUG;
  }

  private static String text(LogRecord event) {
    String message = String.valueOf(event.getMessage());
    Object[] parameters = event.getParameters();
    if (parameters == null || parameters.length == 0) {
      return message;
    }
    try {
      return new MessageFormat(message).format(parameters);
    } catch (IllegalArgumentException _) {
      return message;
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {}
}
