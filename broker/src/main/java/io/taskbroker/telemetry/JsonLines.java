package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.encoder.EncoderBase;
import java.io.ByteArrayOutputStream;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import org.slf4j.event.KeyValuePair;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// Log encoder: a flat JSON object per line with `timestamp`, `level`, `target`, `message`,
/// `thread`, the event's own fields, and `error` with the stack trace if there is one
/// (reference-spec 10.3).
final class JsonLines extends EncoderBase<ILoggingEvent> {
  private static final JsonFactory JSON = new JsonFactory();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final Set<String> OWN =
      Set.of("timestamp", "level", "target", "message", "thread", "error");
  private static final byte[] NONE = {};

  @Override
  public byte[] encode(ILoggingEvent event) {
    var bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty("timestamp", TIME.format(event.getInstant()));
      json.writeStringProperty("level", event.getLevel().toString());
      json.writeStringProperty("target", target(event.getLoggerName()));
      json.writeStringProperty("message", text(event.getFormattedMessage()));
      json.writeStringProperty("thread", event.getThreadName());
      if (event.getKeyValuePairs() != null) {
        event.getKeyValuePairs().forEach(field -> write(json, field));
      }
      IThrowableProxy error = event.getThrowableProxy();
      if (error != null) {
        json.writeStringProperty("error", text(ThrowableProxyUtil.asString(error)));
      }
      json.writeEndObject();
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  private static void write(JsonGenerator json, KeyValuePair field) {
    if (OWN.contains(field.key)) {
      return;
    }
    switch (field.value) {
      case Integer number -> json.writeNumberProperty(field.key, number);
      case Long number -> json.writeNumberProperty(field.key, number);
      case Boolean flag -> json.writeBooleanProperty(field.key, flag);
      case null, default -> json.writeStringProperty(field.key, text(String.valueOf(field.value)));
    }
  }

  /// Replaces unpaired surrogates, which remain where text was truncated: strict JSON parsers
  /// reject a line that contains one.
  private static String text(String text) {
    return text.chars().anyMatch(c -> Character.isSurrogate((char) c))
        ? new String(text.getBytes(UTF_8), UTF_8)
        : text;
  }

  /// Converts a logger name to the form that `log_filter` uses.
  private static String target(String logger) {
    return logger.startsWith("io.taskbroker")
        ? logger.substring("io.".length()).replace(".", "::")
        : logger;
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
