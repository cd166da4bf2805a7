package io.taskbroker.testkit;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.proto.v1.GetTaskRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SignerTest {
  private static final String PUSH = RawMethods.PUSH_TASK.getFullMethodName();
  private static final byte[] HELLO = "hello".getBytes(UTF_8);
  private static final String HELLO_SIGNATURE =
      "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe239";

  @Test
  void signsAsTheReferenceDoes() {
    byte[] request = GetTaskRequest.newBuilder().setApplication("sentry").build().toByteArray();

    assertThat(new Signer(List.of("super secret")).sign(PUSH, HELLO)).isEqualTo(HELLO_SIGNATURE);
    assertThat(
            new Signer(List.of("a long secret value"))
                .sign(RawMethods.GET_TASK.getFullMethodName(), request))
        .isEqualTo("556b2e74f2d5a1d0134b1f803c9bfaa8467bbd8e4cb510a9856c5e2ef2b66a21");
  }

  @Test
  void signsWithTheFirstSecretAndAcceptsAny() {
    var signer = new Signer(List.of("other", "super secret"));

    assertThat(signer.sign(PUSH, HELLO)).isNotEqualTo(HELLO_SIGNATURE);
    assertThat(signer.accepts(PUSH, HELLO, HELLO_SIGNATURE)).isTrue();
  }

  @Test
  void acceptsNothingElse() {
    var signer = new Signer(List.of("super secret"));

    assertThat(signer.accepts(PUSH, "hellO".getBytes(UTF_8), HELLO_SIGNATURE)).isFalse();
    assertThat(signer.accepts("a.Service/Method", HELLO, HELLO_SIGNATURE)).isFalse();
    assertThat(signer.accepts(PUSH, HELLO, "no hex")).isFalse();
    assertThat(signer.accepts(PUSH, HELLO, null)).isFalse();
  }

  @Test
  void acceptsEverythingWithoutSecrets() {
    assertThat(new Signer(List.of()).accepts(PUSH, HELLO, null)).isTrue();
  }
}
