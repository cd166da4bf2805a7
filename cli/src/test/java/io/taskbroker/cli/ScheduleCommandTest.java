package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.EmbeddedBroker;
import io.taskbroker.testkit.Ports;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// Schedules of a broker as `taskbroker dev` runs it, by the command line and by the admin API.
@Timeout(240)
final class ScheduleCommandTest {
  private final int port = Ports.free();
  private final int admin = Ports.free();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir private Path dir;
  private EmbeddedBroker broker;

  @BeforeEach
  void start() {
    broker =
        EmbeddedBroker.start(
            Map.of(
                "TASKBROKER_KAFKA_ENABLED",
                "false",
                "TASKBROKER_GRPC_ADDR",
                "127.0.0.1",
                "TASKBROKER_GRPC_PORT",
                Integer.toString(port),
                "TASKBROKER_METRICS_ADDR",
                "127.0.0.1:0",
                "TASKBROKER_ADMIN__ADDR",
                "\"127.0.0.1:" + admin + "\"",
                "TASKBROKER_ADMIN__AUDIT_FILE",
                dir.resolve("audit").toString(),
                "TASKBROKER_STORE__SQLITE__PATH",
                dir.resolve("store.sqlite").toString()));
  }

  @AfterEach
  void stop() {
    broker.close();
  }

  @Test
  void commandsShowAndChangeSchedules() {
    assertThat(run("list")).isZero();
    assertThat(out.toString()).isEqualTo("0 schedules\n");
    assertThat(
            run(
                "put",
                "nightly",
                "report",
                "--cron",
                "30 2 * * *",
                "--zone",
                "Europe/Vienna",
                "--arg",
                "kind=daily",
                "--description",
                "for the boss"))
        .isZero();
    assertThat(out.toString()).startsWith("nightly: 30 2 * * * Europe/Vienna, next 2");
    assertThat(run("put", "often", "sweep", "--every", "10m", "--missed", "all")).isZero();
    assertThat(run("list")).isZero();
    assertThat(out.toString())
        .contains("nightly", "every 10m", "sweep", "2 schedules")
        .doesNotContain("paused");
    assertThat(run("pause", "often")).isZero();
    assertThat(out.toString()).isEqualTo("often: every 10m, next paused\n");
    assertThat(run("resume", "often")).isZero();
    assertThat(run("show", "nightly", "--json")).isZero();
    JsonNode shown = AdminCalls.JSON.readTree(out.toString());
    assertThat(shown.path("cron").asString()).isEqualTo("30 2 * * *");
    assertThat(shown.path("arguments").asString()).isEqualTo("{\"kind\":\"daily\"}");
    assertThat(run("list", "--json")).isZero();
    assertThat(AdminCalls.JSON.readTree(out.toString())).hasSize(2);
    assertThat(run("run", "nightly")).isZero();
    assertThat(out.toString()).startsWith("schedule:nightly:run:");
    assertThat(run("next", "nightly", "--count", "3")).isZero();
    assertThat(out.toString().lines()).hasSize(3);
    assertThat(run("next", "--cron", "0 0 29 2 *", "--json")).isZero();
    assertThat(out.toString()).contains("-02-29T00:00:00Z");
    assertThat(run("delete", "often")).isZero();
    assertThat(run("show", "often")).isEqualTo(3);
    assertThat(err.toString()).isEqualTo("taskbroker: There is no schedule named often\n");
  }

  @Test
  void mistakesAreOneLine() {
    assertThat(run("put", "x", "t", "--cron", "99 * * * *")).isOne();
    assertThat(err.toString()).startsWith("taskbroker: the broker refused it: cron.expression");
    assertThat(run("put", "x", "t")).isEqualTo(2);
    assertThat(run("put", "x", "t", "--every", "5s", "--cron", "* * * * *")).isEqualTo(2);
    assertThat(run("next")).isEqualTo(2);
    assertThat(run()).isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"--every", "--phase", "--jitter", "--start", "--end", "--deadline", "--expires"})
  void aWrongTimeIsAWrongArgument(String option) {
    List<String> all = new ArrayList<>(List.of("put", "x", "t", option, "soon"));
    if (!option.equals("--every")) {
      all.addAll(List.of("--every", "5s"));
    }
    assertThat(run(all.toArray(String[]::new))).isEqualTo(2);
    assertThat(err.toString())
        .startsWith("taskbroker: Invalid value for option '" + option + "'")
        .contains("'soon' is no time such as")
        .hasLineCount(1);
  }

  @Test
  void operatorsSeeAndChangeThemAndItIsRecorded() throws Exception {
    var calls = new AdminCalls(admin);
    String schedule =
        """
        {"cron": "30 2 * * *", "time_zone": "Europe/Vienna", "description": "for the boss",
         "task": {"taskname": "report", "arguments": {"kind": "daily", "password": "x"},
                  "headers": {"a": "b"}, "max_attempts": 3, "on_failure": "dead_letter"},
         "reason": "a test"}
        """;
    JsonNode put = calls.call("PUT", "/v1/schedules/night%20ly", schedule, 200);
    assertThat(put.path("next_times")).hasSize(10);
    JsonNode again = calls.call("PUT", "/v1/schedules/night%20ly", schedule, 200);
    assertThat(again).isEqualTo(put);
    JsonNode shown = calls.get("/v1/schedules/night%20ly");
    assertThat(shown.path("arguments").toString()).contains("daily").doesNotContain("\"x\"");
    assertThat(shown.path("headers").path("a").asString()).isEqualTo("b");
    assertThat(calls.get("/v1/schedules?limit=1").path("schedules").get(0).path("name").asString())
        .isEqualTo("night ly");
    String reason = "{\"reason\": \"a test\"}";
    assertThat(
            calls
                .call("POST", "/v1/schedules/night%20ly/pause", reason, 200)
                .path("paused")
                .asBoolean())
        .isTrue();
    assertThat(calls.call("POST", "/v1/schedules/night%20ly/resume", reason, 200).has("next_slot"))
        .isTrue();
    assertThat(
            calls
                .call("POST", "/v1/schedules/night%20ly/run", reason, 200)
                .path("task_id")
                .asString())
        .startsWith("schedule:night ly:run:");
    calls.call("DELETE", "/v1/schedules/night%20ly", reason, 200);
    calls.call("DELETE", "/v1/schedules/night%20ly", reason, 404);
    calls.call("GET", "/v1/schedules/night%20ly", null, 404);
    calls.call("POST", "/v1/schedules/night%20ly/run", reason, 404);
    for (String bad :
        List.of(
            schedule.replace("30 2", "99 2"),
            schedule.replace("\"cron\"", "\"every_seconds\": 5, \"cron\""),
            schedule.replace("dead_letter", "panic"),
            schedule.replace("\"b\"", "null"),
            "{\"every_seconds\": -5, \"task\": {\"taskname\": \"t\"}, \"reason\": \"a test\"}",
            "{\"every_seconds\": 5, \"reason\": \"a test\"}")) {
      calls.call("PUT", "/v1/schedules/bad", bad, 400);
    }
    assertThat(Files.readString(dir.resolve("audit")))
        .contains("PUT /v1/schedules/{name}", "POST /v1/schedules/{name}/run", "a test");
    assertThat(broker.failure()).isEmpty();
  }

  @Test
  void aScheduleIsChangedWithoutLossAndByADryRunFirst() throws Exception {
    var calls = new AdminCalls(admin);
    String path = "/v1/schedules/report";
    String first =
        """
        {"cron": "0 6 * * *", "time_zone": "UTC", "reason": "a test",
         "task": {"taskname": "report", "arguments": {"to": "ann", "password": "x"},
                  "headers": {"token": "y", "a": "b"}, "max_attempts": 3}}
        """;
    JsonNode would = calls.call("PUT", path, dryRun(first), 200);
    assertThat(would.path("next_times").get(0).asString()).endsWith("T06:00:00Z");
    calls.call("GET", path, null, 404);

    JsonNode put = calls.call("PUT", path, first, 200);
    assertThat(put.path("definition")).isEqualTo(would.path("definition"));
    assertThat(put.path("definition").toString()).contains("[redacted]").doesNotContain("\"x\"");
    ObjectNode change = (ObjectNode) put.path("definition").deepCopy();
    change.put("cron", "30 7 * * *").put("reason", "a test");
    change.put("if_updated_at", put.path("updated_at").asString());
    JsonNode changed = calls.call("PUT", path, change.toString(), 200);
    assertThat(changed.path("definition").path("cron").asString()).isEqualTo("30 7 * * *");
    assertThat(run("show", "report", "--json")).isZero();
    assertThat(AdminCalls.JSON.readTree(out.toString()).path("arguments").asString())
        .isEqualTo("{\"to\":\"ann\",\"password\":\"x\"}");

    change.put("cron", "0 8 * * *");
    calls.call("PUT", path, change.toString(), 409);
    calls.call("PUT", path, dryRun(change.toString()), 409);
    change.remove("if_updated_at");
    calls.call("PUT", "/v1/schedules/other", change.toString(), 400);
    assertThat(Files.readString(dir.resolve("audit"))).doesNotContain("\"dry_run\":true");
  }

  private static String dryRun(String change) {
    return change.replaceFirst("\\{", "{\"dry_run\": true, ");
  }

  @Test
  void whatAFormCannotHoldIsNotOffered() throws Exception {
    var calls = new AdminCalls(admin);
    assertThat(
            run("put", "large", "t", "--every", "10m", "--arguments", "{\"id\":9007199254740993}"))
        .isZero();
    assertThat(calls.get("/v1/schedules/large").has("definition")).isFalse();
    assertThat(run("put", "plain", "t", "--every", "10m", "--arg", "id=7")).isZero();
    assertThat(calls.get("/v1/schedules/plain").has("definition")).isTrue();
  }

  @Test
  void timesAreShownBeforeAScheduleIs() throws Exception {
    var calls = new AdminCalls(admin);
    assertThat(
            calls
                .get("/v1/schedule-times?cron=0%200%2029%202%20*&time_zone=UTC")
                .path("next_times")
                .get(0)
                .asString())
        .endsWith("-02-29T00:00:00Z");
    assertThat(calls.get("/v1/schedule-times?every_seconds=60").path("next_times")).hasSize(10);
    calls.call("GET", "/v1/schedule-times?cron=99%20*%20*%20*%20*", null, 400);
    calls.call("GET", "/v1/schedule-times?cron=*%20*%20*%20*%20*&every_seconds=5", null, 400);
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(List.of("schedule"));
    all.addAll(List.of(arguments));
    if (arguments.length > 0) {
      all.addAll(List.of("--broker", "127.0.0.1:" + port));
    }
    CommandLine main = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    return main.execute(all.toArray(String[]::new));
  }
}
