package io.taskbroker.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/// Commands that look at a running broker and act on its tasks through its admin API. Their exit
/// codes are in docs/admin.md.
abstract class OperateCommands {
  /// Exit code if a task was not acted on.
  private static final int NOT_ALL = 3;

  private static final int PAGE = 1_000;

  @Spec CommandSpec spec;
  @Mixin AdminTarget target;

  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  int show(JsonNode answer, Consumer<JsonNode> table) {
    if (target.wantsJson()) {
      out().println(answer.toPrettyString());
    } else {
      table.accept(answer);
    }
    out().flush();
    return 0;
  }

  /// Adds a member to a request, unless it is not given.
  private static void put(Map<String, Object> fields, String name, @Nullable Object value) {
    if (value != null && !value.equals("")) {
      fields.put(name, value);
    }
  }

  void showRules() {
    int _ = show(target.client().get("/v1/rules", Map.of()), this::rules);
  }

  private void rules(JsonNode rules) {
    var table = new Table("RULE", "NAME", "SOURCE", "MATCHES");
    for (JsonNode rule : rules.path("in_force")) {
      table.add(rule.path("effect"), rule.path("name"), rule.path("source"), rule.path("matches"));
    }
    table.print(out());
    out().println("file: " + Table.printable(rules.path("file").asString("none")));
    out().println("version of the API: " + rules.path("version"));
    if (rules.has("problem")) {
      out().println("! " + Table.printable(rules.path("problem").asString()));
    }
  }

  void printDiff(JsonNode answer) {
    answer.path("diff").forEach(line -> out().println(Table.printable(line.asString())));
  }

  /// The task in flight; otherwise its record, if it has ended and has one.
  JsonNode task(String id) {
    AdminClient client = target.client();
    String inFlight = "/v1/tasks/" + AdminClient.encoded(id);
    JsonNode found = client.find(inFlight);
    if (found == null) {
      found = client.find("/v1/finished/" + AdminClient.encoded(id));
    }
    return found == null ? client.get(inFlight, Map.of()) : found;
  }

  /// Reads pages until there are enough tasks, or no more.
  ///
  /// @return whether more match
  static boolean search(
      AdminClient client,
      String path,
      Map<String, String> filter,
      int limit,
      Consumer<JsonNode> found) {
    var query = new LinkedHashMap<>(filter);
    String cursor = "";
    int number = 0;
    do {
      query.put("limit", Integer.toString(Math.clamp(limit - number, 1, PAGE)));
      query.put("cursor", cursor);
      JsonNode page = client.get(path, query);
      page.path("tasks").forEach(found);
      number += page.path("tasks").size();
      cursor = page.path("cursor").asString("");
    } while (!cursor.isEmpty() && number < limit);
    return !cursor.isEmpty();
  }

  /// Names of tasks.
  static final class Names {
    @Option(names = "--application", paramLabel = "NAME", description = "Their application.")
    private String application = "";

    @Option(names = "--namespace", paramLabel = "NAME", description = "Their namespace.")
    private String namespace = "";

    @Option(names = "--taskname", paramLabel = "NAME", description = "Their task name.")
    private String taskname = "";

    Map<String, Object> fields() {
      var fields = new LinkedHashMap<String, Object>();
      put(fields, "application", application);
      put(fields, "namespace", namespace);
      put(fields, "taskname", taskname);
      return fields;
    }
  }

  /// Filter of tasks.
  static final class Which {
    @Mixin private Names names = new Names();

    @Option(
        names = "--status",
        paramLabel = "STATUS",
        description = "Pending, Claimed, Processing, Delay, Failure, Retry or Complete.")
    private String status = "";

    @Option(
        names = "--waiting",
        paramLabel = "REASON",
        description = "Why they do not run, such as QUEUED or NO_WORKER.")
    private String waiting = "";

    @Option(
        names = "--older-than",
        paramLabel = "TIME",
        converter = DurationOption.class,
        description = "Least age since they were published, such as 10m, 2h or 1d.")
    private @Nullable Duration olderThan;

    @Option(
        names = "--younger-than",
        paramLabel = "TIME",
        converter = DurationOption.class,
        description = "Greatest age since they were published.")
    private @Nullable Duration youngerThan;

    @Option(
        names = "--min-attempts",
        paramLabel = "N",
        description = "Least number of passed processing deadlines.")
    private @Nullable Integer minAttempts;

    @Option(names = "--priority", paramLabel = "N", description = "Their priority, -4 to 4.")
    private @Nullable Integer priority;

    @Option(
        names = "--header",
        paramLabel = "NAME[=VALUE]",
        description = "A header that they have.")
    private String header = "";

    Map<String, Object> fields() {
      Map<String, Object> fields = names.fields();
      put(fields, "status", status);
      put(fields, "waiting", waiting);
      put(fields, "older_than_seconds", DurationOption.seconds(olderThan));
      put(fields, "younger_than_seconds", DurationOption.seconds(youngerThan));
      put(fields, "min_attempts", minAttempts);
      put(fields, "priority", priority);
      put(fields, "header", header);
      return fields;
    }
  }

  @Command(
      name = "status",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows a running broker: backlogs, rates, workers, partitions.")
  static final class Status extends OperateCommands implements Runnable {
    @Override
    public void run() {
      int _ =
          show(
              target.client().get("/v1/overview", Map.of()),
              answer -> StatusPage.print(answer, out()));
    }
  }

  @Command(
      name = "top",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows the status of a running broker, refreshed until Ctrl-C.")
  static final class Top extends OperateCommands implements Runnable {
    private static final String CLEAR = "\033[H\033[2J\033[3J";

    @Option(
        names = "--interval",
        paramLabel = "SECONDS",
        defaultValue = "2",
        description = "Time between two looks (default: ${DEFAULT-VALUE}).")
    private int interval;

    @Option(names = "--count", paramLabel = "N", description = "Ends after N looks.")
    private int count;

    @Override
    public void run() {
      AdminClient client = target.client();
      for (int shown = 0; count == 0 || shown < count; shown++) {
        if (shown > 0 && !pause()) {
          return;
        }
        JsonNode answer = client.get("/v1/overview", Map.of());
        out().print(CLEAR);
        StatusPage.print(answer, out());
        if (out().checkError()) {
          return; // nobody reads it any more
        }
      }
    }

    private boolean pause() {
      try {
        TimeUnit.SECONDS.sleep(Math.max(1, interval));
        return true;
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return false;
      }
    }
  }

  @Command(
      name = "tasks",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Searches the tasks in flight.")
  static final class Tasks extends OperateCommands implements Runnable {
    @Mixin private Which which = new Which();

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "100",
        description = "Most tasks to list (default: ${DEFAULT-VALUE}).")
    private int limit;

    @Override
    public void run() {
      var query = new LinkedHashMap<String, String>();
      which.fields().forEach((name, value) -> query.put(name, value.toString()));
      List<JsonNode> found = new ArrayList<>();
      boolean more = search(target.client(), "/v1/tasks", query, limit, found::add);
      if (target.wantsJson()) {
        found.forEach(task -> out().println(task));
      } else {
        var table = new Table("ID", "APPLICATION", "TASK", "STATUS", "WAITS FOR", "TRIES", "SINCE");
        for (JsonNode task : found) {
          table.add(
              task.path("id"),
              task.path("application"),
              task.path("namespace").asString() + ":" + task.path("taskname").asString(),
              task.path("status"),
              task.path("waiting").path("reason"),
              task.path("attempts"),
              task.path("received_at"));
        }
        table.print(out());
        out().println(found.size() + " tasks" + (more ? "; more match" : ""));
      }
      out().flush();
    }
  }

  @Command(
      name = "task",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows one task in full: in flight with its arguments, or its record.")
  static final class Task extends OperateCommands implements Runnable {
    @Parameters(paramLabel = "ID", description = "Id of the task.")
    private String id = "";

    @Override
    public void run() {
      out().println(task(id).toPrettyString()); // JSON escapes control characters
      out().flush();
    }
  }

  @Command(
      name = "explain",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Says why a task does not run, and what to do.")
  static final class Explain extends OperateCommands implements Runnable {
    @Parameters(paramLabel = "ID", description = "Id of the task.")
    private String id = "";

    @Override
    public void run() {
      JsonNode task = task(id).path("task");
      if (task.has("outcome")) {
        int _ = show(task, this::ended);
      } else {
        int _ = show(task.path("waiting"), this::explain);
      }
    }

    private void ended(JsonNode task) {
      String message = task.path("message").asString("");
      out()
          .println(
              Table.printable(
                  "It ended at "
                      + task.path("ended_at").asString()
                      + ": "
                      + task.path("outcome").asString()
                      + (message.isEmpty() ? "" : ", " + message)));
    }

    private void explain(JsonNode waiting) {
      if (waiting.isMissingNode()) {
        out().println("Another broker has it: ask that one.");
        return;
      }
      String until = waiting.path("until").asString("");
      out()
          .println(
              Table.printable(
                  waiting.path("reason").asString()
                      + (until.isEmpty() ? "" : " until " + until)
                      + " "
                      + waiting.path("detail").asString()));
      out().println(waiting.path("advice").asString());
    }
  }

  @Command(
      name = "workers",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows applications with the condition of their workers, and the workers.")
  static final class Workers extends OperateCommands implements Runnable {
    @Override
    public void run() {
      int _ =
          show(
              target.client().get("/v1/workers", Map.of()),
              answer -> {
                StatusPage.applications(answer.path("applications"), out());
                WorkerTables.print(answer, out());
              });
    }
  }

  @Command(
      name = "partitions",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Shows the partitions that the broker reads, with their lag.")
  static final class Partitions extends OperateCommands implements Runnable {
    @Override
    public void run() {
      int _ =
          show(
              target.client().get("/v1/partitions", Map.of()),
              answer -> StatusPage.partitions(answer.path("partitions"), out()));
    }
  }

  /// Names that are paused or resumed.
  abstract static class PauseChange extends OperateCommands implements Runnable {
    @Mixin private Names names = new Names();

    @Option(
        names = "--reason",
        required = true,
        paramLabel = "WHY",
        description = "Why; kept in the audit record.")
    private String reason = "";

    void change(String path) {
      Map<String, Object> body = names.fields();
      body.put("reason", reason);
      int _ =
          show(
              target.client().post(path, body),
              answer -> {
                answer.path("pauses").forEach(pause -> out().println(StatusPage.pause(pause)));
                out().println(answer.path("pauses").size() + " paused");
              });
    }
  }

  @Command(
      name = "pause",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Holds the tasks of an application, a namespace or a task name.")
  static final class Pause extends PauseChange {
    @Override
    public void run() {
      change("/v1/pause");
    }
  }

  @Command(
      name = "resume",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Ends a pause of exactly these names.")
  static final class Resume extends PauseChange {
    @Override
    public void run() {
      change("/v1/resume");
    }
  }

  @Command(
      name = "drain",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = "Ends all deliveries until the broker is restarted.")
  static final class Drain extends OperateCommands implements Runnable {
    @Option(
        names = "--reason",
        required = true,
        paramLabel = "WHY",
        description = "Why; kept in the audit record.")
    private String reason = "";

    @Override
    public void run() {
      int _ =
          show(
              target.client().post("/v1/drain", Map.of("reason", reason)),
              answer -> out().println(answer.path("done").asString()));
    }
  }

  @Command(
      name = "act",
      mixinStandardHelpOptions = true,
      versionProvider = Version.class,
      description = {
        "Acts on tasks, by id or by filter.",
        "ACT is run_now, delay, priority, cancel, discard or retry."
      })
  static final class Act extends OperateCommands implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "ACT", description = "What to do.")
    private String act = "";

    @Parameters(index = "1..*", paramLabel = "ID", arity = "0..*", description = "Ids of tasks.")
    private List<String> ids = List.of();

    @Mixin private Which which = new Which();

    @Option(
        names = "--delay",
        paramLabel = "TIME",
        converter = DurationOption.class,
        description = "With delay: from now until they may run, such as 30s, 10m or 2h.")
    private @Nullable Duration delay;

    @Option(
        names = "--to",
        paramLabel = "PRIORITY",
        description = "With priority: the new one, -4 to 4.")
    private @Nullable Integer to;

    @Option(
        names = "--limit",
        paramLabel = "N",
        defaultValue = "100",
        description = "Most tasks to act on (default: ${DEFAULT-VALUE}).")
    private int limit;

    @Option(names = "--dry-run", description = "Only says what would be done.")
    private boolean dryRun;

    @Option(
        names = "--reason",
        paramLabel = "WHY",
        description = "Why; kept in the audit record. Required unless --dry-run.")
    private String reason = "";

    @Override
    public Integer call() {
      if (reason.isEmpty() && !dryRun) {
        throw new ParameterException(spec.commandLine(), "missing --reason WHY, or --dry-run");
      }
      var body = new LinkedHashMap<String, Object>();
      body.put("act", act);
      body.put("reason", reason);
      body.put("dry_run", dryRun);
      body.put("limit", limit);
      put(body, "delay_seconds", DurationOption.seconds(delay));
      put(body, "priority", to);
      body.put(ids.isEmpty() ? "filter" : "ids", ids.isEmpty() ? which.fields() : ids);
      JsonNode answer = target.client().post("/v1/tasks/act", body);
      int _ = show(answer, this::table);
      return answer.path("done").asInt() == answer.path("matched").asInt() ? 0 : NOT_ALL;
    }

    private void table(JsonNode answer) {
      var table = new Table("ID", dryRun ? "WOULD" : "DONE", "DETAIL");
      for (JsonNode task : answer.path("tasks")) {
        table.add(
            task.path("id"), task.path("done").asBoolean() ? "yes" : "no", task.path("detail"));
      }
      table.print(out());
      out()
          .println(
              "%s of %s%s"
                  .formatted(
                      answer.path("done"),
                      answer.path("matched"),
                      answer.path("more").asBoolean() ? "; more match: repeat it" : ""));
    }
  }
}
