package io.taskbroker.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.Encoder;

/// Logback appender that encodes on the logging thread and writes to a [LineStream], so that
/// logging never waits for the reader of the log. Warnings and errors may use the space reserved
/// for urgent lines. Thread-safe.
final class LogAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
  private final Encoder<ILoggingEvent> encoder;
  private final LineStream stream;

  /// @param encoder must be safe for concurrent use
  LogAppender(LoggerContext loggers, Encoder<ILoggingEvent> encoder, LineStream stream) {
    this.encoder = encoder;
    this.stream = stream;
    setContext(loggers);
    encoder.setContext(loggers);
    encoder.start();
    ch.qos.logback.classic.Logger own = loggers.getLogger(LogAppender.class);
    stream.noticeDropsBy(lines ->
        encoder.encode(
            new LoggingEvent(
                LogAppender.class.getName(),
                own,
                Level.WARN,
                LineStream.noticeText(lines),
                null,
                null)));
  }

  @Override
  protected void append(ILoggingEvent event) {
    stream.write(encoder.encode(event), event.getLevel().isGreaterOrEqual(Level.WARN));
  }
}
