package io.taskbroker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.testkit.BrokerProcess;
import io.taskbroker.testkit.Ports;
import io.taskbroker.testkit.TaskTemplate;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;
import tools.jackson.databind.JsonNode;

/// Dead letters by the admin API of a real process, with a real Kafka; answers are checked against
/// the schema that the process documents.
@Timeout(240)
@ExtendWith(SharedKafka.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@SuppressWarnings("NullAway.Init") // before all
final class DeadLetterApiTest {
  private static final int LETTERS = 10;

  @TempDir static Path dir;

  private KafkaView kafka;
  private BrokerSetup setup;
  private BrokerProcess broker;
  private AdminCalls admin;

  @BeforeAll
  void start(KafkaView view) throws Exception {
    kafka = view;
    int port = Ports.free();
    setup =
        BrokerSetup.pull(dir, "dead-letter-api", view.bootstrap())
            .with("admin", "{addr: \"127.0.0.1:" + port + "\"}");
    view.createTopics(setup, 1);
    produce();
    broker = setup.start().awaitServing(Duration.ofSeconds(60));
    admin = new AdminCalls(port);
  }

  @AfterAll
  void end() {
    if (broker != null) {
      broker.close();
    }
  }

  @Test
  void groupsAndLettersShowWhatFailed() throws Exception {
    JsonNode groups = admin.get("/v1/dead-letters/groups");
    assertThat(groups.path("complete").asBoolean()).isTrue();
    JsonNode group = groups.path("groups").path(0);
    assertThat(group.path("count").asInt()).isEqualTo(LETTERS);
    assertThat(group.path("error").asString()).isEqualTo("timeout # of #");

    JsonNode letter = admin.get("/v1/dead-letters/0:9");
    assertThat(letter.path("letter").path("reason").asString()).isEqualTo("timeout 9 of 9");
    assertThat(letter.path("arguments").path("kwargs").path("api_key").asString())
        .isEqualTo("[redacted]");
    assertThat(letter.path("editable").asBoolean()).isTrue();
    admin.call("GET", "/v1/dead-letters/0:999", null, 404);
    admin.call("GET", "/v1/dead-letters?since=yesterday", null, 400);
  }

  @Test
  void pagesFollowEachOther() throws Exception {
    var found = new ArrayList<String>();
    String cursor = "";
    do {
      JsonNode page =
          admin.get(
              "/v1/dead-letters?limit=3&taskname=send"
                  + (cursor.isEmpty() ? "" : "&cursor=" + cursor));
      page.path("letters").forEach(each -> found.add(each.path("position").asString()));
      cursor = page.path("cursor").asString("");
    } while (!cursor.isEmpty());
    assertThat(found).hasSize(LETTERS).doesNotHaveDuplicates();
  }

  @Test
  void repairedReplayedAndDiscardedOnce() throws Exception {
    JsonNode dry = run("replay", Map.of("filter", ids("0:0", "0:1"), "dry_run", true));
    assertThat(dry.path("done").asInt()).isEqualTo(2);
    long before = kafka.published(setup.topic());

    // In the order of the letter, since bytes are compared.
    var arguments = new LinkedHashMap<String, Object>();
    arguments.put("args", List.of(8));
    arguments.put("kwargs", Map.of("api_key", "[redacted]"));
    run("replay", Map.of("filter", ids("0:0"), "arguments", arguments, "reason", "wrong number"));
    run("discard", Map.of("filter", ids("0:1"), "reason", "spam"));
    JsonNode all =
        run("replay", Map.of("filter", ids("0:0", "0:1", "0:2"), "rate", 1000, "reason", "fixed"));
    assertThat(all.path("done").asInt()).isOne();
    assertThat(all.path("skipped").toString()).contains("replayed_before", "discarded_before");

    // Each transaction ends with a marker, which is a record to Kafka.
    await().until(() -> kafka.published(setup.topic()) >= before + 2);
    TaskActivation repaired = TaskActivation.parseFrom(kafka.read(setup.topic()).get(0).value());
    assertThat(repaired.getParametersBytes()).isEqualTo(arguments(8));
    JsonNode letter = admin.get("/v1/dead-letters/0:0").path("letter");
    assertThat(letter.path("state").asString()).isEqualTo("replayed");
    assertThat(letter.path("resolution").path("reason").asString()).isEqualTo("wrong number");
    assertThat(admin.get("/v1/dead-letters/runs").path("runs")).isNotEmpty();
  }

  @Test
  void nothingIsReplayedByMistake() throws Exception {
    String path = "/v1/dead-letters/replay";
    admin.call("POST", path, "{\"reason\":\"no filter\"}", 400);
    admin.call("POST", path, "{\"all\":true}", 400);
    admin.call("POST", path, "{\"all\":true,\"rate\":0,\"reason\":\"no rate\"}", 400);
    admin.call(
        "POST",
        path,
        "{\"filter\":{\"taskname\":\"send\"},\"arguments\":{},\"reason\":\"which one\"}",
        400);
    admin.call(
        "POST",
        path,
        "{\"filter\":{\"ids\":[\"0:5\"]},\"arguments\":[1],\"reason\":\"no arguments\"}",
        400);
    admin.call("POST", "/v1/dead-letters/discard", "{\"reason\":\"no filter\"}", 400);
    admin.call("POST", "/v1/dead-letters/runs/stop", "{\"run\":\"77\",\"reason\":\"none\"}", 404);
    admin.call("GET", "/v1/dead-letters/runs/77", null, 404);
  }

  private static Map<String, Object> ids(String... positions) {
    return Map.of("ids", List.of(positions));
  }

  private JsonNode run(String action, Map<String, Object> body) throws Exception {
    JsonNode begun = admin.post("/v1/dead-letters/" + action, body);
    String path = "/v1/dead-letters/runs/" + begun.path("id").asString();
    await().until(() -> !admin.get(path).path("state").asString().equals("running"));
    JsonNode end = admin.get(path);
    assertThat(end.path("state").asString()).as(end.toString()).isEqualTo("done");
    return end.path("counts");
  }

  private void produce() throws Exception {
    var template = new TaskTemplate(BrokerSetup.APPLICATION, "mail", "send", 0, 3);
    for (int i = 0; i < LETTERS; i++) {
      kafka.publishLetter(
          setup, i, template.task(i).setParametersBytes(arguments(7)).build().toByteArray());
    }
  }

  private static ByteString arguments(int number) throws Exception {
    try (MessageBufferPacker out = MessagePack.newDefaultBufferPacker()) {
      out.packMapHeader(2);
      out.packString("args");
      out.packArrayHeader(1);
      out.packInt(number);
      out.packString("kwargs");
      out.packMapHeader(1);
      out.packString("api_key");
      out.packString("very-secret");
      return ByteString.copyFrom(out.toByteArray());
    }
  }
}
