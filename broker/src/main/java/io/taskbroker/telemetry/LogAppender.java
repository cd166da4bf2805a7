package io.taskbroker.telemetry;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import ch.qos.logback.core.encoder.Encoder;

/// Encodes lines of the log in the thread that logs, and gives them to a [LineStream], so that who
/// logs never waits for whoever reads. Warnings and errors still find room where other lines do
/// not. Thread-safe.
final class LogAppender extends UnsynchronizedAppenderBase<ILoggingEvent> {
  private final Encoder<ILoggingEvent> encoder;
  private final LineStream stream;

  /// @param encoder encodes what several threads log at the same time
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
