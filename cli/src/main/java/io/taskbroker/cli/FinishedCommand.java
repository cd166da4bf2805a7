package io.taskbroker.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import tools.jackson.databind.JsonNode;

/// Search of the records of finished tasks of a running broker, through its admin API.
@Command(
    name = "finished",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Searches the finished tasks, newest first.")
final class FinishedCommand extends OperateCommands implements Runnable {
  @Mixin private Names names = new Names();

  @Option(
      names = "--id",
      paramLabel = "ID",
      description = "Id of the task, or of the first attempt of its retries.")
  private String id = "";

  @Option(
      names = "--outcome",
      paramLabel = "OUTCOME",
      description =
          "completed, failed, dead_lettered, retried, expired, cancelled, discarded or demoted.")
  private String outcome = "";

  @Option(
      names = "--message",
      paramLabel = "TEXT",
      description = "Text in the failure message, in any case.")
  private String message = "";

  @Option(
      names = "--last",
      paramLabel = "TIME",
      converter = DurationOption.class,
      description = "Ended within this time before now, such as 10m, 2h or 1d.")
  private @Nullable Duration last;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "100",
      description = "Most tasks to list (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Override
  public void run() {
    var filter = new LinkedHashMap<String, String>();
    names.fields().forEach((name, value) -> filter.put(name, value.toString()));
    filter.put("id", id);
    filter.put("outcome", outcome);
    filter.put("message", message);
    filter.put("ended_from", last == null ? "" : Instant.now().minus(last).toString());
    List<JsonNode> found = new ArrayList<>();
    boolean more = search(target.client(), "/v1/finished", filter, limit, found::add);
    if (target.wantsJson()) {
      found.forEach(task -> out().println(task));
    } else {
      var table =
          new Table("ID", "APPLICATION", "TASK", "OUTCOME", "ENDED", "DELIVERIES", "MESSAGE");
      for (JsonNode task : found) {
        table.add(
            task.path("id"),
            task.path("application"),
            task.path("namespace").asString() + ":" + task.path("taskname").asString(),
            task.path("outcome"),
            task.path("ended_at"),
            task.path("deliveries"),
            task.path("message"));
      }
      table.print(out());
      out().println(found.size() + " tasks" + (more ? "; more match" : ""));
    }
    out().flush();
  }
}
