package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.telemetry.TaskStepSink.Subject;
import java.io.ByteArrayOutputStream;
import java.time.Instant;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/// JSON of the audit stream of the steps of tasks. Stateless and thread-safe.
public final class TaskStepJson {
  private static final JsonFactory JSON = new JsonFactory();

  private TaskStepJson() {}

  /// Object of a step, without a line break; arguments as those of [TaskStepSink#step].
  public static byte[] of(String step, long at, Subject task, String detail) {
    var bytes = new ByteArrayOutputStream(256);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
      json.writeStartObject();
      json.writeStringProperty("time", Instant.ofEpochMilli(at).toString());
      json.writeStringProperty("step", step);
      json.writeStringProperty("task_id", text(task.id()));
      json.writeStringProperty("application", text(task.application()));
      json.writeStringProperty("namespace", text(task.namespace()));
      json.writeStringProperty("taskname", text(task.taskname()));
      if (task.partition() >= 0) {
        json.writeStringProperty("topic", task.topic());
        json.writeNumberProperty("partition", task.partition());
        json.writeNumberProperty("offset", task.offset());
      }
      if (!detail.isEmpty()) {
        json.writeStringProperty("detail", text(detail));
      }
      json.writeEndObject();
    }
    return bytes.toByteArray();
  }

  /// Object that says how many steps are missing before the next one.
  public static byte[] missing(long number) {
    return "{\"time\":\"%s\",\"missing\":%d}".formatted(Instant.now(), number).getBytes(UTF_8);
  }

  /// Replaces unpaired surrogates, which strict JSON parsers reject.
  private static String text(String text) {
    return text.chars().anyMatch(c -> Character.isSurrogate((char) c))
        ? new String(text.getBytes(UTF_8), UTF_8)
        : text;
  }
}
