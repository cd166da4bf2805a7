package io.taskbroker.payload;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import com.google.protobuf.ByteString;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import java.io.IOException;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.msgpack.core.MessageBufferPacker;
import org.msgpack.core.MessagePack;

/// Payloads as people read them.
final class DecodedPayloadTest {
  private static final Redaction REDACTION = new Redaction(List.of("token", "PASSWORD"));

  @Test
  void messagePackIsDecodedWithoutSecrets() throws IOException {
    byte[] packed = packed();
    assertDecoded(TaskActivation.newBuilder().setParametersBytes(ByteString.copyFrom(packed)));
    assertDecoded(
        TaskActivation.newBuilder()
            .putHeaders("compression-type", "zstd")
            .setParametersBytes(ByteString.copyFrom(Zstd.compress(packed))));
  }

  private static void assertDecoded(TaskActivation.Builder activation) {
    DecodedPayload decoded =
        decode(
            activation
                .putHeaders("X-Auth-Token", "hidden")
                .putHeaders("tenant", "7")
                .setRetryState(RetryState.newBuilder().setAttempts(2).setMaxAttempts(5)));
    assertThat(decoded.problem()).isEmpty();
    assertThat(decoded.headers()).containsEntry("tenant", "7");
    assertThat(decoded.headers()).containsEntry("X-Auth-Token", Redaction.HIDDEN);
    assertThat(decoded.attempt()).isEqualTo(3);
    assertThat(decoded.maxAttempts()).isEqualTo(5);
    assertThat(decoded.arguments().orElseThrow().toString())
        .isEqualTo("{args=[1, x], kwargs={user={db_password=[redacted], name=ann}, on=true}}");
  }

  @Test
  @SuppressWarnings("deprecation")
  void jsonIsDecodedWithoutSecrets() {
    DecodedPayload decoded =
        decode(
            TaskActivation.newBuilder()
                .setParametersJson("{\"args\":[1.5,null],\"kwargs\":{\"token\":{\"a\":1}}}"));
    assertThat(decoded.arguments().orElseThrow())
        .asString()
        .isEqualTo("{args=[1.5, null], kwargs={token=[redacted]}}");
  }

  /// As a client enqueues it directly.
  @Test
  void jsonInPlaceOfMessagePackIsDecoded() {
    byte[] payload =
        TaskActivation.newBuilder()
            .setParametersBytes(ByteString.copyFromUtf8("{\"a\": 1, \"token\": \"x\"}"))
            .build()
            .toByteArray();
    DecodedPayload decoded = DecodedPayload.of(payload, REDACTION);
    assertThat(decoded.problem()).isEmpty();
    assertThat(decoded.arguments().orElseThrow().toString()).contains("a=1").doesNotContain("x");
  }

  @Test
  void whatCannotBeDecodedIsDescribed() {
    assertThat(DecodedPayload.of(new byte[] {-1, -1}, REDACTION).problem())
        .contains("is not an activation");
    DecodedPayload decoded =
        decode(
            TaskActivation.newBuilder().setParametersBytes(ByteString.copyFrom(new byte[] {-63})));
    assertThat(decoded.arguments()).isEmpty();
    assertThat(decoded.problem()).contains("cannot be decoded");
  }

  @Test
  void g7WhatIsTooLargeIsShownInPart() throws IOException {
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      packer.packArrayHeader(100_000);
      for (int i = 0; i < 100_000; i++) {
        packer.packInt(i);
      }
      DecodedPayload many = decode(parameters(packer));
      assertThat(many.problem()).contains("in part");
      assertThat(many.arguments().orElseThrow().toString().length()).isLessThan(100_000);
    }
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      for (int i = 0; i < 10_000; i++) {
        packer.packArrayHeader(1);
      }
      packer.packNil();
      assertThat(decode(parameters(packer)).problem()).isNotEmpty();
    }
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      packer.packString("x".repeat(1 << 20));
      assertThat(decode(parameters(packer)).arguments().orElseThrow().toString())
          .hasSizeLessThan(5_000);
    }
    byte[] bomb = Zstd.compress(new byte[64 << 20]);
    assertThat(
            decode(
                    TaskActivation.newBuilder()
                        .putHeaders("compression-type", "zstd")
                        .setParametersBytes(ByteString.copyFrom(bomb)))
                .problem())
        .contains("larger than");
  }

  @Test
  void randomBytesNeverFail() {
    var random = new Random(5);
    for (int i = 0; i < 5_000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      var _ = decode(TaskActivation.newBuilder().setParametersBytes(ByteString.copyFrom(bytes)));
      var _ = DecodedPayload.of(bytes, REDACTION);
    }
  }

  private static TaskActivation.Builder parameters(MessageBufferPacker packer) {
    return TaskActivation.newBuilder()
        .setParametersBytes(ByteString.copyFrom(packer.toByteArray()));
  }

  private static DecodedPayload decode(TaskActivation.Builder activation) {
    return DecodedPayload.of(activation.build().toByteArray(), REDACTION);
  }

  private static byte[] packed() throws IOException {
    try (MessageBufferPacker packer = MessagePack.newDefaultBufferPacker()) {
      packer.packMapHeader(2);
      packer.packString("args").packArrayHeader(2).packInt(1).packString("x");
      packer.packString("kwargs").packMapHeader(2);
      packer.packString("user").packMapHeader(2);
      packer.packString("db_password").packString("hidden");
      packer.packString("name").packString("ann");
      packer.packString("on").packBoolean(true);
      return packer.toByteArray();
    }
  }
}
