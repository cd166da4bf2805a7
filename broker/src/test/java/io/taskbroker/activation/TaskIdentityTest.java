package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class TaskIdentityTest {
  private static final Origin ORIGIN = new Origin("tasks", 3, 17);

  @Test
  void retriesCarryTheFirstId() {
    byte[] payload =
        TaskActivation.newBuilder()
            .setId("first")
            .putHeaders("sentry-trace", "1")
            .setRetryState(RetryState.newBuilder().setMaxAttempts(9))
            .build()
            .toByteArray();
    String id = "first";
    var attempts = new ArrayList<Long>();
    for (int i = 0; i < 4; i++) {
      TaskIdentity identity = TaskIdentity.of(activation(id, payload));
      assertThat(identity.firstId()).isEqualTo("first");
      assertThat(identity.id()).isEqualTo(id);
      attempts.add(identity.attempt());
      Retries.Retry retry = Retries.of(payload, id, 0, -1, -1, 5).orElseThrow();
      id = retry.id();
      payload = retry.payload();
    }
    assertThat(attempts).isEqualTo(List.of(1L, 2L, 3L, 4L));
  }

  @Test
  void malformedHeadersGiveAFirstAttempt() {
    assertThat(firstId("no protobuf".getBytes(UTF_8))).isEqualTo("id");
    assertThat(firstId(new byte[0])).isEqualTo("id");
    assertThat(firstId(headers("taskbroker-first-id", ""))).isEqualTo("id");
    assertThat(firstId(headers("taskbroker-first-id", "x".repeat(513)))).isEqualTo("id");
    assertThat(firstId(headers("taskbroker-first-id", "x".repeat(512)))).hasSize(512);
    assertThat(firstId(headers("Taskbroker-first-id", "x"))).isEqualTo("id");
  }

  @Test
  void deadLetterNamesReasonAndOrigin() {
    byte[] payload =
        TaskActivation.newBuilder()
            .putHeaders("taskbroker-first-id", "first")
            .setRetryState(RetryState.newBuilder().setAttempts(2))
            .build()
            .toByteArray();

    Destination dead =
        Destination.ofDeadLetter("dead", activation("third", payload), "y".repeat(2_000), 1_000);

    assertThat(dead.topic()).isEqualTo("dead");
    assertThat(dead.headers())
        .isEqualTo(
            Map.of(
                "taskbroker-reason", "y".repeat(1_000),
                "taskbroker-failed-at", "1970-01-01T00:00:01Z",
                "taskbroker-topic", "tasks",
                "taskbroker-partition", "3",
                "taskbroker-offset", "17",
                "taskbroker-first-id", "first",
                "taskbroker-attempts", "3"));
  }

  private static byte[] headers(String name, String value) {
    return TaskActivation.newBuilder().putHeaders(name, value).build().toByteArray();
  }

  private static String firstId(byte[] payload) {
    return TaskIdentity.of(activation("id", payload)).firstId();
  }

  private static Activation activation(String id, byte[] payload) {
    return new Activation(
        id,
        "app",
        "ns",
        "task",
        payload,
        ORIGIN,
        0,
        Activation.NEVER,
        0,
        0,
        FailurePolicy.DEAD_LETTER,
        false,
        false);
  }
}
