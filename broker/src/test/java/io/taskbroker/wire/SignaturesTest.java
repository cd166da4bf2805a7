package io.taskbroker.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Signatures of calls (reference-spec 2.4).
final class SignaturesTest {
  private static final String PUSH = "/sentry_protos.taskbroker.v1.WorkerService/PushTask";
  private static final String GET = "/sentry_protos.taskbroker.v1.ConsumerService/GetTask";
  private static final byte[] HELLO = "hello".getBytes(UTF_8);
  private static final String HELLO_SIGNATURE =
      "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe239";

  @Test
  void signsAsTheReferenceDoes() {
    assertThat(signer(PUSH, "super secret").sign(HELLO)).isEqualTo(HELLO_SIGNATURE);
    assertThat(signer(GET, "a long secret value").sign(HexFormat.of().parseHex("120673656e747279")))
        .isEqualTo("556b2e74f2d5a1d0134b1f803c9bfaa8467bbd8e4cb510a9856c5e2ef2b66a21");
  }

  @Test
  void signsWithTheFirstSecretAndAcceptsAny() {
    Signatures.Signer both = signer(PUSH, "new", "super secret");

    assertThat(both.accepts(HELLO, HELLO_SIGNATURE)).isTrue();
    assertThat(both.sign(HELLO)).isEqualTo(signer(PUSH, "new").sign(HELLO));
    assertThat(both.accepts(HELLO, both.sign(HELLO))).isTrue();
    assertThat(both.accepts(HELLO, signer(PUSH, "other").sign(HELLO))).isFalse();
  }

  @Test
  void reportsTheSigningSecret() {
    Signatures.Signer three = signer(PUSH, "a", "super secret", "c");

    assertThat(three.keys()).isEqualTo(3);
    assertThat(three.keyOf(HELLO, three.sign(HELLO))).isEqualTo(1);
    assertThat(three.keyOf(HELLO, HELLO_SIGNATURE)).isEqualTo(2);
    assertThat(three.keyOf(HELLO, signer(PUSH, "c").sign(HELLO))).isEqualTo(3);
    assertThat(three.keyOf(HELLO, signer(PUSH, "d").sign(HELLO))).isZero();
    assertThat(three.keyOf(HELLO, null)).isZero();
  }

  @Test
  void keepsNoStateBetweenMessages() {
    Signatures.Signer signer = signer(PUSH, "super secret");
    for (int i = 0; i < 3; i++) {
      signer.accepts("something else".getBytes(UTF_8), HELLO_SIGNATURE);
      assertThat(signer.sign(HELLO)).isEqualTo(HELLO_SIGNATURE);
    }
  }

  @Test
  void acceptsUpperCaseHex() {
    assertThat(
            signer(PUSH, "super secret").accepts(HELLO, HELLO_SIGNATURE.toUpperCase(Locale.ROOT)))
        .isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "cf",
        "zfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe239",
        "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe238",
        "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe23",
        "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe23900",
        "cfdf2c4d2efd3a2d28bd10de6471ef352d03f49d2d3bd880ee7051ea39fbe2３9"
      })
  void rejectsWrongSignatures(String signature) {
    assertThat(signer(PUSH, "super secret").accepts(HELLO, signature)).isFalse();
  }

  @Test
  void rejectsAnotherMethodsSignatureAndNone() {
    assertThat(signer(GET, "super secret").accepts(HELLO, HELLO_SIGNATURE)).isFalse();
    assertThat(signer(PUSH, "super secret").accepts(HELLO, null)).isFalse();
  }

  @Test
  void withoutSecretsSignsNothingAndAcceptsEverything() {
    Signatures.Signer none = signer(PUSH);

    assertThat(none.signs()).isFalse();
    assertThat(none.accepts(HELLO, null)).isTrue();
    assertThat(none.accepts(HELLO, "nonsense")).isTrue();
    assertThatThrownBy(() -> none.sign(HELLO)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void emptySecretIsValid() {
    Signatures.Signer empty = signer(PUSH, "");

    assertThat(empty.signs()).isTrue();
    assertThat(empty.accepts(HELLO, null)).isFalse();
    assertThat(empty.accepts(HELLO, empty.sign(HELLO))).isTrue();
  }

  private static Signatures.Signer signer(String path, String... secrets) {
    return new Signatures(List.of(secrets)).forPath(path);
  }
}
