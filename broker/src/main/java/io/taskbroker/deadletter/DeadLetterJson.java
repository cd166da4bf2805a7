package io.taskbroker.deadletter;

import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// JSON form of dead letters, groups and reports, one object on one line. Stateless and
/// thread-safe.
public final class DeadLetterJson {
  private static final JsonMapper JSON = new JsonMapper();

  private DeadLetterJson() {}

  /// A dead letter without its payload.
  public static String summary(DeadLetterPage.Entry entry) {
    return node(entry).toString();
  }

  /// A dead letter with its headers and decoded arguments; a payload that is no task is in Base64.
  public static String whole(DeadLetterPage.Entry entry) {
    ObjectNode node = node(entry);
    DeadLetter letter = entry.letter();
    put(node.putObject("record_headers"), letter.headers());
    if (letter.task().isEmpty()) {
      node.put("payload", Base64.getEncoder().encodeToString(letter.payload()));
      return node.toString();
    }
    TaskActivation task = letter.task().get();
    put(node.putObject("headers"), task.getHeadersMap());
    node.put(
        "received_at",
        Instant.ofEpochSecond(
                task.getReceivedAt().getSeconds(), Math.max(0, task.getReceivedAt().getNanos()))
            .toString());
    node.put("processing_deadline_seconds", task.getProcessingDeadlineDuration());
    if (task.hasExpires()) {
      node.put("expires_seconds", task.getExpires());
    }
    RetryState state = task.getRetryState();
    node.put("max_attempts", Integer.toUnsignedLong(state.getMaxAttempts()));
    node.put("at_most_once", state.getAtMostOnce());
    try {
      Parameters parameters = Parameters.of(task);
      node.set("arguments", parameters.arguments());
      node.put("editable", parameters.exact());
    } catch (IllegalArgumentException e) {
      node.put("arguments_error", e.getMessage());
    }
    return node.toString();
  }

  /// A group of errors.
  public static String of(ErrorGroup group) {
    return JSON.createObjectNode()
        .put("count", group.count())
        .put("open", group.open())
        .put("namespace", group.namespace())
        .put("task", group.taskname())
        .put("error", group.error())
        .put("first", time(group.first()))
        .put("last", time(group.last()))
        .put("sample", group.sample().toString())
        .toString();
  }

  /// A report.
  ///
  /// @param dryRun whether nothing was changed
  public static String of(ReplayReport report, boolean dryRun) {
    ObjectNode node =
        JSON.createObjectNode()
            .put("run", report.run())
            .put("dry_run", dryRun)
            .put("selected", report.selected())
            .put("done", report.done())
            .put("unfinished", report.unfinished())
            .put("complete", report.complete());
    ObjectNode topics = node.putObject("by_topic");
    new TreeMap<>(report.byTopic()).forEach(topics::put);
    ObjectNode skipped = node.putObject("skipped");
    report
        .skipped()
        .forEach((reason, count) ->
            skipped.put(reason.name().toLowerCase(java.util.Locale.ROOT), count));
    return node.toString();
  }

  private static ObjectNode node(DeadLetterPage.Entry entry) {
    DeadLetter letter = entry.letter();
    ObjectNode node =
        JSON.createObjectNode()
            .put("position", letter.position().toString())
            .put("failed_at", time(letter.failedAt()))
            .put("id", letter.id())
            .put("first_id", letter.firstId())
            .put("namespace", letter.namespace())
            .put("task", letter.taskname())
            .put("application", letter.application())
            .put("attempts", letter.attempts())
            .put("reason", letter.reason())
            .put("topic", letter.topic())
            .put("origin", letter.origin().map(Position::toString).orElse(""))
            .put("bytes", letter.payload().length)
            .put("state", entry.resolution().map(it -> it.action().label()).orElse("open"));
    entry
        .resolution()
        .ifPresent(resolution ->
            node.putObject("resolution")
                .put("at", time(resolution.at()))
                .put("run", resolution.run())
                .put("topic", resolution.topic())
                .put("id", resolution.id())
                .put("reason", resolution.reason()));
    return node;
  }

  private static void put(ObjectNode node, Map<String, String> values) {
    new TreeMap<>(values).forEach(node::put);
  }

  private static String time(long millis) {
    return Instant.ofEpochMilli(millis).toString();
  }
}
