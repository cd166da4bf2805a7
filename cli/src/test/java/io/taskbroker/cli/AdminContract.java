package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.ConsumerServiceGrpc;
import io.taskbroker.proto.v1.GetTaskRequest;
import io.taskbroker.proto.v1.GetTaskResponse;
import io.taskbroker.proto.v1.SetTaskStatusRequest;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.proto.v1.TaskActivationStatus;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.TaskTemplate;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import tools.jackson.databind.JsonNode;

/// The admin API and its commands against a real process with real Kafka: what is in flight is
/// seen, and acts do what they say and last over a kill. One broker serves all tests, each with an
/// application of its own.
@Timeout(240)
@ExtendWith(SharedKafka.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // by the first start
abstract class AdminContract {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int HOUR = 3_600;

  private final int port = Ports.free();
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @TempDir static Path dir;

  private String application = "";
  private TaskTemplate template;
  private BrokerSetup setup;
  private KafkaView kafka;
  private BrokerProcess broker;
  private AdminCalls admin;

  /// Gives the setup its store.
  abstract BrokerSetup store(BrokerSetup setup) throws Exception;

  abstract String name();

  @AfterAll
  void end() {
    if (broker != null) {
      broker.close();
    }
  }

  private void start(KafkaView view, String test) throws Exception {
    application = test;
    template = new TaskTemplate(test, "n", "t", 100, test.hashCode());
    if (broker == null) {
      kafka = view;
      setup =
          store(
              BrokerSetup.pull(dir, "admin-" + name(), view.bootstrap())
                  .with("admin", "{requests_per_second: 10000, addr: \"127.0.0.1:" + port + "\"}"));
      view.createTopics(setup, 1);
      startAgain();
    }
  }

  private void startAgain() throws Exception {
    broker = setup.start().awaitServing(PATIENCE);
    admin = new AdminCalls(port);
  }

  @Test
  void everythingInFlightIsSeen(KafkaView view) throws Exception {
    start(view, "seen");
    publish(template.task(1).setId("now").setTaskname("first"));
    publish(template.task(2).setId("later").setDelay(240).putHeaders("tenant", "7"));
    publish(template.task(3).setId("parked/1").setDelay(HOUR).setParametersBytes(arguments()));
    awaitTasks(3);

    JsonNode overview = admin.get("/v1/overview");
    assertThat(overview.path("broker").path("ready").asBoolean()).isTrue();
    assertThat(overview.path("tasks").path("parked").asInt()).isPositive();
    assertThat(overview.path("applications"))
        .filteredOn(each -> each.path("application").asString().equals(application))
        .singleElement()
        .satisfies(each -> assertThat(each.path("pending").asInt()).isOne())
        .satisfies(each -> assertThat(each.path("delayed").asInt()).isOne())
        .satisfies(each -> assertThat(each.path("parked").asBoolean()).isTrue());
    await().until(() -> !admin.get("/v1/overview").path("partitions").isEmpty());

    assertThat(ids("")).containsExactlyInAnyOrder("now", "later", "parked/1");
    assertThat(ids("taskname=first")).containsExactly("now");
    assertThat(ids("header=tenant=7")).containsExactly("later");
    assertThat(ids("header=tenant=8")).isEmpty();
    assertThat(ids("status=delay")).containsExactlyInAnyOrder("later", "parked/1");
    assertThat(ids("waiting=parked")).containsExactly("parked/1");
    assertThat(ids("parked=true")).containsExactly("parked/1");
    assertThat(ids("older_than_seconds=3600")).isEmpty();
    assertThat(ids("id=later")).containsExactly("later");
    assertThat(ids("min_attempts=1")).isEmpty();

    JsonNode task = admin.get("/v1/tasks/parked%2F1");
    assertThat(task.path("arguments").path("kwargs").path("name").asString()).isEqualTo("ann");
    assertThat(task.path("arguments").path("kwargs").path("api_key").asString())
        .isEqualTo("[redacted]");
    assertThat(task.path("task").path("waiting").path("reason").asString()).isEqualTo("PARKED");
    admin.call("GET", "/v1/tasks/unknown", null, 404);
    assertThat(admin.get("/v1/tasks?id=later").path("tasks").get(0).path("broker"))
        .isEqualTo(overview.path("broker").path("name"));
    for (String by : List.of("application", "namespace", "task")) {
      await()
          .atMost(PATIENCE)
          .until(() -> backlog(by).path("tasks").asInt() == (by.equals("task") ? 2 : 3));
    }
    assertThat(backlog("task").path("oldest_seconds").asDouble()).isPositive();
    JsonNode brokers = admin.get("/v1/brokers");
    assertThat(brokers.path("asked")).isEqualTo(overview.path("broker").path("name"));
    assertThat(brokers.path("brokers"))
        .filteredOn(each -> each.path("name").equals(brokers.path("asked")))
        .filteredOn(each -> each.path("alive").asBoolean())
        .singleElement()
        .satisfies(each -> assertThat(each.path("partitions")).hasSize(1));
    assertThat(admin.get("/v1/config").path("yaml").asString()).contains("127.0.0.1:" + port);
    assertThat(fetched()).isEqualTo("now");
    JsonNode workers = admin.get("/v1/workers");
    assertThat(workers.path("addresses")).isEmpty();
    assertThat(workers.path("delivery_mode").asString()).isEqualTo("pull");
    for (String path : List.of("partitions", "rules", "pauses", "log-levels")) {
      admin.get("/v1/" + path);
    }
  }

  /// First group of the application of this test.
  private JsonNode backlog(String by) throws Exception {
    return StreamSupport.stream(
            admin.get("/v1/backlog?by=" + by).path("groups").spliterator(), false)
        .filter(each -> each.path("application").asString().equals(application))
        .findFirst()
        .orElse(AdminCalls.JSON.createObjectNode());
  }

  @Test
  void pagesCoverEverythingOnce(KafkaView view) throws Exception {
    start(view, "pages");
    for (int i = 0; i < 25; i++) {
      publish(template.task(i).setDelay(i % 2 == 0 ? 240 : HOUR));
    }
    awaitTasks(25);
    Set<String> seen = new HashSet<>();
    String cursor = "";
    int pages = 0;
    do {
      JsonNode page = admin.get("/v1/tasks?limit=10&application=pages&cursor=" + cursor);
      page.path("tasks").forEach(task -> assertThat(seen.add(task.path("id").asString())).isTrue());
      cursor = page.path("cursor").asString("");
      pages++;
    } while (!cursor.isEmpty());
    assertThat(seen).hasSize(25);
    assertThat(pages).isGreaterThanOrEqualTo(3);
  }

  @Test
  void g2ActsLastOverAKill(KafkaView view) throws Exception {
    start(view, "kill");
    publish(template.task(1).setId("kill-now").setDelay(HOUR));
    publish(template.task(2).setId("kill-later").setDelay(240));
    publish(template.task(3).setId("kill-cancelled").setDelay(HOUR));
    publish(template.task(4).setId("kill-held").setTaskname("kill-held"));
    awaitTasks(4);

    assertDone(act("run_now", "kill-now"));
    JsonNode delay =
        admin.post("/v1/tasks/act", body("delay", "kill-later", "delay_seconds", HOUR));
    assertDone(delay);
    assertDone(act("cancel", "kill-cancelled"));
    admin.post("/v1/pause", Map.of("taskname", "kill-held", "reason", "a test"));
    broker.kill();
    broker.close();
    startAgain();

    assertThat(ids("")).containsExactlyInAnyOrder("kill-now", "kill-later", "kill-held");
    await().until(() -> ids("waiting=paused").equals(List.of("kill-held")));
    await().until(() -> fetched().equals("kill-now"));
    assertThat(fetched()).isEmpty();
    assertThat(ids("status=processing")).containsExactly("kill-now");
    admin.call("GET", "/v1/tasks/kill-cancelled", null, 404);

    admin.post("/v1/resume", Map.of("taskname", "kill-held", "reason", "a test"));
    assertThat(fetched()).isEqualTo("kill-held");
  }

  /// Priorities of published tasks and of operators order deliveries, also after a kill (ADR 44).
  @Test
  void prioritiesOrderDeliveriesOverAKill(KafkaView view) throws Exception {
    start(view, "priority");
    publish(template.task(1).setId("p-normal"));
    publish(template.task(2).setId("p-flood-1").setTaskname("flood"));
    publish(template.task(3).setId("p-flood-2").setTaskname("flood"));
    publish(template.task(4).setId("p-first").putHeaders("taskbroker-priority", "4"));
    publish(template.task(5).setId("p-raised").setDelay(HOUR));
    awaitTasks(5);
    assertThat(ids("priority=4")).containsExactly("p-first");

    Map<String, Object> lower =
        Map.of(
            "act",
            "priority",
            "priority",
            -4,
            "reason",
            "a flood",
            "filter",
            Map.of("taskname", "flood", "application", application));
    var dry = new HashMap<>(lower);
    dry.put("dry_run", true);
    assertThat(admin.post("/v1/tasks/act", dry).path("done").asInt()).isEqualTo(2);
    assertThat(ids("priority=-4")).isEmpty();
    assertThat(admin.post("/v1/tasks/act", lower).path("done").asInt()).isEqualTo(2);
    assertThat(ids("priority=-4")).containsExactly("p-flood-1", "p-flood-2");
    assertThat(run("act", "priority", "p-raised", "--to", "3", "--reason", "a test")).isZero();
    assertThat(run("act", "priority", "p-raised", "--to", "5", "--reason", "a test")).isOne();
    assertThat(err.toString()).contains("priority must be from -4 to 4");
    assertThat(run("tasks", "--application", application, "--priority", "3")).isZero();
    assertThat(out.toString()).contains("p-raised");
    broker.kill();
    broker.close();
    startAgain();

    await().until(() -> ids("priority=3").equals(List.of("p-raised")));
    assertDone(act("run_now", "p-raised"));
    await().until(() -> ids("waiting=queued").size() == 5);
    var order = new ArrayList<String>();
    await()
        .until(() -> {
          order.add(fetched());
          order.remove("");
          return order.size() == 5;
        });
    assertThat(order).startsWith("p-first", "p-raised", "p-normal");
  }

  @Test
  void workersAreOverruled(KafkaView view) throws Exception {
    start(view, "worker");
    publish(template.task(1).setId("worker-x"));
    awaitTasks(1);
    await().until(() -> fetched().equals("worker-x"));
    JsonNode refused = act("cancel", "worker-x");
    assertThat(refused.path("done").asInt()).isZero();
    assertThat(refused.path("tasks").get(0).path("detail").asString()).contains("a worker has it");
    assertDone(act("retry", "worker-x"));
    assertThat(fetched()).isEqualTo("worker-x");
    assertDone(act("discard", "worker-x"));
    assertThat(ids("")).isEmpty();
    report("worker-x");
  }

  @Test
  void filtersActUpToALimitAndDryRunsDoNot(KafkaView view) throws Exception {
    start(view, "filter");
    for (int i = 0; i < 12; i++) {
      publish(template.task(i).setTaskname(i < 8 ? "bad" : "good").setDelay(HOUR));
    }
    awaitTasks(12);
    int recorded = Files.exists(audit()) ? Files.readAllLines(audit()).size() : 0;
    Map<String, Object> body =
        Map.of(
            "act",
            "cancel",
            "filter",
            Map.of("taskname", "bad", "application", application),
            "limit",
            5,
            "reason",
            "only the bad ones");
    var dry = new HashMap<>(body);
    dry.put("dry_run", true);
    assertThat(admin.post("/v1/tasks/act", dry).path("done").asInt()).isEqualTo(5);
    assertThat(ids("")).hasSize(12);
    JsonNode some = admin.post("/v1/tasks/act", body);
    assertThat(some.path("done").asInt()).isEqualTo(5);
    assertThat(some.path("more").asBoolean()).isTrue();
    JsonNode rest = admin.post("/v1/tasks/act", body);
    assertThat(rest.path("done").asInt()).isEqualTo(3);
    assertThat(rest.path("more").asBoolean()).isFalse();
    assertThat(ids("taskname=good")).hasSize(4);
    admin.call(
        "POST", "/v1/tasks/act", "{\"act\":\"cancel\",\"filter\":{},\"reason\":\"all\"}", 400);
    List<String> lines = Files.readAllLines(audit());
    assertThat(lines).hasSize(recorded + 6);
    assertThat(lines.get(recorded))
        .contains("\"phase\":\"intended\"", "\"who\":\"local\"", "only the bad ones");
    assertThat(lines.get(recorded + 1)).contains("\"phase\":\"done\"", "\"matched\":5");
    assertThat(lines.getLast()).contains("\"phase\":\"failed\"", "The filter is empty");
  }

  private Path audit() {
    return Path.of(setup.store() + ".audit.jsonl");
  }

  @Test
  void commandsShowAndAct(KafkaView view) throws Exception {
    start(view, "commands");
    publish(template.task(1).setId("command-x").setDelay(HOUR));
    publish(template.task(2).setId("command-y"));
    awaitTasks(2);

    assertThat(run("status")).isZero();
    assertThat(out.toString()).contains("pending", "waited ", "; ran ", "ready", "APPLICATION");
    assertThat(run("top", "--count", "1")).isZero();
    assertThat(run("tasks", "--application", application, "--status", "delay")).isZero();
    assertThat(out.toString())
        .contains("command-x ", "PARKED", "1 tasks")
        .doesNotContain("\ncommand-y ");
    assertThat(run("tasks", "--application", application, "--older-than", "1h")).isZero();
    assertThat(out.toString()).contains("0 tasks");
    assertThat(run("tasks", "--application", application, "--younger-than", "60m")).isZero();
    assertThat(out.toString()).contains("2 tasks");
    assertThat(run("act", "delay", "command-x", "--delay", "90", "--reason", "a test"))
        .isEqualTo(2);
    assertThat(err.toString()).contains("'90' is no time such as");
    assertThat(run("tasks", "--application", application, "-o", "json")).isZero();
    assertThat(out.toString().lines().map(AdminCalls.JSON::readTree)).hasSize(2);
    assertThat(run("task", "command-x")).isZero();
    assertThat(out.toString()).contains("\"payload_bytes\"");
    assertThat(run("explain", "command-x")).isZero();
    assertThat(out.toString()).contains("PARKED", "run_now");
    assertThat(run("act", "delay", "command-x", "--delay", "2h", "--reason", "a test")).isZero();
    assertThat(run("explain", "command-x")).isZero();
    assertThat(out.toString()).contains("DELAYED", "run_now");
    assertThat(run("explain", "nothing")).isOne();
    assertThat(err.toString()).contains("No task nothing is in flight");
    assertThat(run("workers")).isZero();
    assertThat(out.toString()).contains("APPLICATION");
    assertThat(run("partitions")).isZero();
    assertThat(run("rules")).isZero();
    assertThat(run("brokers")).isZero();
    assertThat(out.toString()).contains("yes", setup.topic() + "-0");
    assertThat(run("backlog", "--by", "application")).isZero();
    assertThat(out.toString()).contains(application);

    assertThat(run("act", "cancel", "command-x")).isEqualTo(2);
    assertThat(run("act", "cancel", "command-x", "--dry-run")).isZero();
    assertThat(run("act", "cancel", "command-x", "unknown", "--reason", "a test")).isEqualTo(3);
    assertThat(run("pause", "--application", application, "--reason", "a test")).isZero();
    assertThat(fetched()).isEmpty();
    assertThat(run("resume", "--application", application, "--reason", "a test")).isZero();
    assertThat(fetched()).isEqualTo("command-y");
    assertThat(run("acts", "--limit", "2")).isZero();
    assertThat(out.toString()).contains("done", "intended", "POST /v1/resume", "local");
    assertThat(run("drain", "--reason", "a test")).isZero();
    assertThat(run("status")).isZero();
    assertThat(out.toString()).contains("DRAINING");
    assertThat(broker.stop(PATIENCE)).isZero();
    broker.close();
    startAgain();
  }

  /// Rules are set by the API, found again after a kill, and taken back (ADR 43).
  @Test
  void h22RulesOfTheApiLastOverAKill(KafkaView view) throws Exception {
    start(view, "rules");
    publish(template.task(1).setId("rules-bad").setTaskname("rules-bad").setDelay(HOUR));
    publish(template.task(2).setId("rules-good").setTaskname("rules-good").setDelay(HOUR));
    awaitTasks(2);
    long version = admin.get("/v1/rules").path("version").asLong();
    Map<String, Object> body =
        new HashMap<>(
            Map.of("rules", killing("rules-bad"), "if_version", version, "reason", "a bad deploy"));
    var dry = new HashMap<>(body);
    dry.put("dry_run", true);
    JsonNode would = admin.call("PUT", "/v1/rules", AdminCalls.JSON.writeValueAsString(dry), 200);
    assertThat(would.path("touched").path("removed").asLong()).isOne();
    assertThat(would.path("touched").path("demoted").asLong()).isZero();
    assertThat(admin.get("/v1/rules").path("version").asLong()).isEqualTo(version);
    assertThat(ids("")).hasSize(2);

    admin.call("PUT", "/v1/rules", AdminCalls.JSON.writeValueAsString(body), 200);
    await().atMost(PATIENCE).until(() -> ids("").equals(List.of("rules-good")));
    JsonNode conflict =
        admin.call("PUT", "/v1/rules", AdminCalls.JSON.writeValueAsString(body), 409);
    assertThat(conflict.path("detail").asString()).contains("somebody changed them");
    assertThat(Files.readAllLines(audit()))
        .anyMatch(line -> line.contains("rules_version\":" + version) && line.contains("intended"));

    broker.kill();
    broker.close();
    startAgain();
    publish(template.task(3).setId("rules-bad-2").setTaskname("rules-bad").setDelay(HOUR));
    publish(template.task(4).setId("rules-good-2").setTaskname("rules-good").setDelay(HOUR));
    await().atMost(PATIENCE).until(() -> ids("").contains("rules-good-2"));
    assertThat(ids("")).containsExactlyInAnyOrder("rules-good", "rules-good-2");
    assertThat(run("rules", "show")).isZero();
    assertThat(out.toString()).contains("switched_off", "rules-bad", "api", "1");

    Path file = Files.writeString(dir.resolve(name() + "-rules.yaml"), killing("rules-good"));
    String next = Long.toString(version + 1);
    assertThat(run("rules", "set", file.toString(), "--if-version", next)).isEqualTo(2);
    assertThat(run("rules", "set", file.toString(), "--if-version", next, "--dry-run")).isZero();
    assertThat(out.toString()).contains("-drop_task_killswitch: [rules-bad]", "would remove 2");
    assertThat(run("rules", "set", file.toString(), "--if-version", next, "--reason", "a test"))
        .as(err.toString())
        .isZero();
    await().atMost(PATIENCE).until(() -> ids("").isEmpty());
    assertThat(run("rules", "versions")).isZero();
    assertThat(out.toString()).contains("a bad deploy", "a test", "local");
    assertThat(run("rules", "versions", next)).isZero();
    assertThat(out.toString()).isEqualTo(killing("rules-bad"));
    assertThat(run("rules", "diff")).isZero();
    assertThat(out.toString()).contains("+drop_task_killswitch: [rules-good]");
    assertThat(run("rules", "rollback", next, "--reason", "a test")).as(err.toString()).isZero();
    assertThat(run("rules", "show", "--yaml")).isZero();
    assertThat(out.toString()).isEqualTo(killing("rules-bad"));
    assertThat(run("rules", "rollback", "999", "--reason", "a test")).isOne();
    assertThat(err.toString()).contains("no such version");
  }

  private static String killing(String taskname) {
    return "drop_task_killswitch: [" + taskname + "]\ndemoted_namespaces: []\n";
  }

  @Test
  void everyOperationIsDocumentedAndAnswersAsDocumented(KafkaView view) throws Exception {
    start(view, "documented");
    assertThat(admin.document().path("openapi").asString()).isEqualTo("3.1.0");
    for (var path : admin.document().path("paths").properties()) {
      for (var operation : path.getValue().properties()) {
        String method = operation.getKey().toUpperCase(java.util.Locale.ROOT);
        String target = path.getKey().replaceAll("\\{.*}", "none");
        boolean writes = !method.equals("GET");
        // An empty body is no act; everything else is answered as documented.
        int status = writes ? 400 : path.getKey().contains("{") ? 404 : 200;
        admin.call(method, target, writes ? "{}" : null, status);
        if (writes) {
          assertThat(admin.raw(method, target, "{\"reason\":\"x\"}").statusCode()).isEqualTo(400);
          admin.call(method, target, "null", 400);
        }
      }
    }
    admin.call("GET", "/v1/tasks?no_such_filter=1", null, 400);
    admin.call("GET", "/v1/tasks?limit=0", null, 400);
    admin.call("GET", "/v1/tasks?status=Running", null, 400);
    admin.call("GET", "/v1/tasks?cursor=x", null, 400);
    JsonNode levels =
        admin.call(
            "PUT",
            "/v1/log-levels",
            "{\"logger\":\"io.taskbroker.ingest\",\"level\":\"debug\",\"reason\":\"a test\"}",
            200);
    assertThat(levels.path("levels").path("io.taskbroker.ingest").asString()).isEqualTo("debug");
    assertThat(admin.called)
        .contains("get /v1/overview", "post /v1/tasks/act", "put /v1/log-levels");
    assertThat(admin.raw("DELETE", "/v1/tasks", null).statusCode()).isEqualTo(405);
    assertThat(admin.raw("GET", "/v2", null).statusCode()).isEqualTo(404);
  }

  @Test
  void finishedTasksAreSeenWithWhatHappenedToThem(KafkaView view) throws Exception {
    start(view, "finished");
    publish(template.task(1).setId("finished-x"));
    awaitTasks(1);
    await().until(() -> fetched().equals("finished-x"));
    assertThat(steps(admin.get("/v1/tasks/finished-x")))
        .containsExactly("received", "stored", "delivered");
    report("finished-x");
    broker.kill();
    broker.close();
    startAgain();

    JsonNode page = admin.get("/v1/finished?application=finished&outcome=completed");
    assertThat(page.path("tasks")).hasSize(1);
    JsonNode task = admin.get("/v1/finished/finished-x");
    assertThat(task.path("task").path("topic").asString()).isEqualTo(setup.topic());
    assertThat(steps(task)).containsExactly("received", "stored", "delivered", "reported", "ended");
    assertThat(admin.get("/v1/finished?application=finished&outcome=failed").path("tasks"))
        .isEmpty();
    admin.call("GET", "/v1/finished?outcome=lost", null, 400);
    admin.call("GET", "/v1/finished?ended_from=yesterday", null, 400);
    assertThat(run("finished", "--application", application, "--last", "1h")).isZero();
    assertThat(out.toString()).contains("finished-x ", "completed", "1 tasks");
    assertThat(run("task", "finished-x")).isZero();
    assertThat(out.toString()).contains("\"history\"");
    assertThat(run("explain", "finished-x")).isZero();
    assertThat(out.toString()).contains("It ended at", "completed");
  }

  private static List<String> steps(JsonNode task) {
    return StreamSupport.stream(task.path("history").spliterator(), false)
        .map(step -> step.path("step").asString())
        .toList();
  }

  private void publish(TaskActivation.Builder task) throws Exception {
    kafka.publish(setup.topic(), task.build().toByteArray());
  }

  private void awaitTasks(int number) {
    await().atMost(PATIENCE).until(() -> ids("").size() == number);
  }

  private List<String> ids(String query) throws Exception {
    JsonNode page = admin.get("/v1/tasks?application=" + application + "&" + query);
    return StreamSupport.stream(page.path("tasks").spliterator(), false)
        .map(task -> task.path("id").asString())
        .toList();
  }

  private JsonNode act(String act, String id) throws Exception {
    return admin.post("/v1/tasks/act", body(act, id, "limit", 1));
  }

  private static Map<String, Object> body(String act, String id, String name, Object value) {
    return Map.of("act", act, "ids", List.of(id), "reason", "a test", name, value);
  }

  private static void assertDone(JsonNode result) {
    assertThat(result.path("done").asInt()).as(result.toString()).isOne();
  }

  /// Id of the task that a polling worker gets; empty if it gets none.
  private String fetched() throws Exception {
    try (var calls = new RawCalls(setup)) {
      RawCalls.Answer answer =
          calls.call(
              ConsumerServiceGrpc.getGetTaskMethod(),
              GetTaskRequest.newBuilder().setApplication(application).build().toByteArray(),
              null);
      return answer.code() == io.grpc.Status.Code.OK
          ? GetTaskResponse.parseFrom(HexFormat.of().parseHex(answer.text())).getTask().getId()
          : "";
    }
  }

  private void report(String id) {
    try (var calls = new RawCalls(setup)) {
      RawCalls.Answer answer =
          calls.call(
              ConsumerServiceGrpc.getSetTaskStatusMethod(),
              SetTaskStatusRequest.newBuilder()
                  .setId(id)
                  .setStatus(TaskActivationStatus.TASK_ACTIVATION_STATUS_COMPLETE)
                  .build()
                  .toByteArray(),
              null);
      assertThat(answer.code()).isEqualTo(io.grpc.Status.Code.OK);
    }
  }

  private static ByteString arguments() throws Exception {
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      packer.packMapHeader(2);
      packer.packString("args").packArrayHeader(1).packInt(5);
      packer.packString("kwargs").packMapHeader(2);
      packer.packString("name").packString("ann");
      packer.packString("api_key").packString("hidden");
      return ByteString.copyFrom(packer.toByteArray());
    }
  }

  private int run(String... arguments) {
    out.getBuffer().setLength(0);
    err.getBuffer().setLength(0);
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--admin", "http://127.0.0.1:" + port));
    return Main.commandLine()
        .setOut(new PrintWriter(out))
        .setErr(new PrintWriter(err))
        .execute(all.toArray(String[]::new));
  }
}
