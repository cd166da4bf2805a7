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

/// Log encoder: a flat JSON object per line with time, level, logger, message, thread, the event's
/// own fields, and the stack trace if there is one. The names of the fields are those of the
/// reference (reference-spec 10.3) or of the Elastic Common Schema, whose own fields are labels.
final class JsonLines extends EncoderBase<ILoggingEvent> {
  private static final JsonFactory JSON = new JsonFactory();
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final byte[] NONE = {};

  private final Names names;

  JsonLines(Names names) {
    this.names = names;
  }

  /// Names of fields.
  ///
  /// @param labels prefix of the event's own fields
  record Names(
      String time,
      String level,
      String logger,
      String thread,
      String error,
      String event,
      String trace,
      String labels) {
    static final Names REFERENCE =
        new Names(
            "timestamp",
            "level",
            "target",
            "thread",
            "error",
            LogFields.EVENT,
            LogFields.TRACE_ID,
            "");
    static final Names ECS =
        new Names(
            "@timestamp",
            "log.level",
            "log.logger",
            "process.thread.name",
            "error.stack_trace",
            "event.action",
            "trace.id",
            "labels.");

    private boolean isTaken(String name) {
      return Set.of(time, level, logger, thread, error, "message").contains(name);
    }

    private String of(String field) {
      return switch (field) {
        case LogFields.EVENT -> event;
        case LogFields.TRACE_ID -> trace;
        default -> labels + field;
      };
    }
  }

  @Override
  public byte[] encode(ILoggingEvent event) {
    var bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty(names.time, TIME.format(event.getInstant()));
      json.writeStringProperty(names.level, event.getLevel().toString());
      json.writeStringProperty(names.logger, target(event.getLoggerName()));
      json.writeStringProperty("message", text(event.getFormattedMessage()));
      json.writeStringProperty(names.thread, event.getThreadName());
      if (names.equals(Names.ECS)) {
        json.writeStringProperty("ecs.version", "8.11");
        json.writeStringProperty("service.name", "taskbroker");
      }
      if (event.getKeyValuePairs() != null) {
        event.getKeyValuePairs().forEach(field -> write(json, field));
      }
      IThrowableProxy error = event.getThrowableProxy();
      if (error != null) {
        json.writeStringProperty(names.error, text(ThrowableProxyUtil.asString(error)));
      }
      json.writeEndObject();
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  private void write(JsonGenerator json, KeyValuePair field) {
    String name = names.of(field.key);
    if (names.isTaken(name)) {
      return;
    }
    switch (field.value) {
      case Integer number -> json.writeNumberProperty(name, number);
      case Long number -> json.writeNumberProperty(name, number);
      case Boolean flag -> json.writeBooleanProperty(name, flag);
      case null, default -> json.writeStringProperty(name, text(String.valueOf(field.value)));
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
