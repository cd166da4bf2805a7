package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import org.slf4j.event.KeyValuePair;

/// Log encoder for people: time, level, logger, message, then the fields that the message does not
/// contain already. No colours: the output of a broker is rarely a terminal.
///
/// Messages contain external input, such as task ids. It can neither imitate a log line nor control
/// a terminal: text after a line break is indented, other control characters become `?`.
final class TextLines extends EncoderBase<ILoggingEvent> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final byte[] NONE = {};

  @Override
  public byte[] encode(ILoggingEvent event) {
    var line = new StringBuilder(160);
    TIME.formatTo(event.getInstant(), line);
    String level = event.getLevel().toString();
    line.append(' ').append(level).append(" ".repeat(Math.max(1, 6 - level.length())));
    String logger = event.getLoggerName();
    line.append(logger, logger.lastIndexOf('.') + 1, logger.length()).append(": ");
    String message = event.getFormattedMessage();
    append(line, message);
    if (event.getKeyValuePairs() != null) {
      for (KeyValuePair field : event.getKeyValuePairs()) {
        String value = String.valueOf(field.value);
        if (field.key.equals(LogFields.EVENT)) {
          continue;
        }
        if (!isSubject(field.key) || !mentions(message, value)) {
          append(line.append(' ').append(field.key).append('='), value);
        }
      }
    }
    line.append('\n');
    IThrowableProxy error = event.getThrowableProxy();
    if (error != null) {
      append(line.append("  "), ThrowableProxyUtil.asString(error).stripTrailing());
      line.append('\n');
    }
    return line.toString().getBytes(UTF_8);
  }

  private static boolean isSubject(String key) {
    return key.equals(LogFields.TASK_ID) || key.equals(LogFields.APPLICATION);
  }

  /// Whether the message contains ": " and the subject, at its end or before a space.
  private static boolean mentions(String message, String subject) {
    String named = ": " + subject;
    int at = message.indexOf(named);
    int end = at + named.length();
    return at >= 0 && (end == message.length() || message.charAt(end) == ' ');
  }

  private static void append(StringBuilder line, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '\n' -> line.append("\n  ");
        case '\t' -> line.append(c);
        case '\u2028', '\u2029' -> line.append('?');
        default -> line.append(Character.isISOControl(c) ? '?' : c);
      }
    }
  }

  @Override
  public byte[] headerBytes() {
    return NONE;
  }

  @Override
  public byte[] footerBytes() {
    return NONE;
  }
}
