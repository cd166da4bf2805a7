package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Timestamp;
import com.google.protobuf.UnknownFieldSet;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.OnAttemptsExceeded;
import io.taskbroker.proto.v1.RetryState;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ActivationDecoderTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final long MAX_DELAY = 3600;
  private static final int MAX_SIZE = 100_000;
  private static final Origin ORIGIN = new Origin("tasks", 3, 77);
  private static final Timestamp RECEIVED =
      Timestamp.newBuilder().setSeconds(1_699_999_000).setNanos(5_000_001).build();
  private static final long RECEIVED_MILLIS = 1_699_999_000_005L;

  private static final TimeWarnings WARNINGS =
      new TimeWarnings(new TopicCounts("tasks", new Metrics()));

  private final ActivationDecoder decoder = new ActivationDecoder(MAX_DELAY, MAX_SIZE, WARNINGS);

  @Test
  void readsTheNeededFieldsAndKeepsTheBytes() {
    byte[] value =
        TaskActivation.newBuilder()
            .setId("0123456789abcdef0123456789abcdef")
            .setNamespace("ns")
            .setTaskname("mod.tâsk")
            .setApplication("app")
            .setReceivedAt(RECEIVED)
            .putHeaders("a", "b")
            .setParametersBytes(ByteString.copyFromUtf8("parameters"))
            .setProcessingDeadlineDuration(30)
            .setExpires(60)
            .setDelay(10)
            .setRetryState(
                RetryState.newBuilder()
                    .setAttempts(2)
                    .setMaxAttempts(3)
                    .setOnAttemptsExceeded(OnAttemptsExceeded.ON_ATTEMPTS_EXCEEDED_DEADLETTER)
                    .setAtMostOnce(true)
                    .setDelayOnRetry(9))
            .build()
            .toByteArray();

    IngestedRecord arrival = decoder.decode(ORIGIN, NOW, value, NOW);

    assertThat(arrival.undecodable()).isNull();
    Activation read = arrival.activation();
    assertThat(read.payload()).isSameAs(value);
    assertThat(read)
        .isEqualTo(
            new Activation(
                "0123456789abcdef0123456789abcdef",
                "app",
                "ns",
                "mod.tâsk",
                value,
                ORIGIN,
                RECEIVED_MILLIS,
                RECEIVED_MILLIS + 60_000,
                RECEIVED_MILLIS + 1 + 10_000,
                30,
                FailurePolicy.DEAD_LETTER,
                true,
                true));
  }

  @Test
  void missingFieldsHaveTheirDefaults() {
    Activation read = decoded(TaskActivation.newBuilder());

    assertThat(read.receivedAt()).isEqualTo(NOW);
    assertThat(read.expiresAt()).isEqualTo(Activation.NEVER);
    assertThat(read.delayUntil()).isZero();
    assertThat(read.deadlineSeconds()).isZero();
    assertThat(read.failurePolicy()).isEqualTo(FailurePolicy.UNSPECIFIED);
    assertThat(read.atMostOnce()).isFalse();
    assertThat(read.derived()).isFalse();
    assertThat(read.application()).isEmpty();
  }

  @Test
  void h21RoundsTheDelayUpAndTheExpiryDown() {
    Activation read =
        decoded(TaskActivation.newBuilder().setReceivedAt(RECEIVED).setDelay(1).setExpires(1));

    assertThat(read.delayUntil()).isEqualTo(RECEIVED_MILLIS + 1001);
    assertThat(read.expiresAt()).isEqualTo(RECEIVED_MILLIS + 1000);

    var whole = Timestamp.newBuilder().setSeconds(1).setNanos(5_000_000).build();
    read = decoded(TaskActivation.newBuilder().setReceivedAt(whole).setDelay(1));
    assertThat(read.delayUntil()).isEqualTo(2005);
  }

  @ParameterizedTest
  @ValueSource(longs = {3601, Long.MAX_VALUE, -1, Long.MIN_VALUE})
  void cutsTheDelay(long delay) {
    assertThat(decoded(TaskActivation.newBuilder().setDelay(delay)).delayUntil())
        .isEqualTo(NOW + MAX_DELAY * 1000);
  }

  @ParameterizedTest
  @CsvSource({"60000, 60000", "60001, 0", "86400000, 0", "253402300799000, 0"})
  void g5AClockThatIsAheadDelaysByAMinuteAtMost(long ahead, long countedFrom) {
    Activation activation =
        decoded(
            TaskActivation.newBuilder()
                .setReceivedAt(Timestamps.ofMillis(Math.min(NOW + ahead, 253_402_300_799_000L)))
                .setDelay(10)
                .setExpires(20));
    assertThat(activation.receivedAt()).isEqualTo(NOW + countedFrom);
    assertThat(activation.delayUntil()).isEqualTo(NOW + countedFrom + 10_000);
    assertThat(activation.expiresAt()).isEqualTo(NOW + countedFrom + 20_000);
  }

  @Test
  void anUnboundedDelayDoesNotOverflow() {
    var unbounded = new ActivationDecoder(Long.MAX_VALUE, MAX_SIZE, WARNINGS);
    byte[] value = TaskActivation.newBuilder().setId("x").setDelay(-1).build().toByteArray();

    assertThat(unbounded.decode(ORIGIN, NOW, value, NOW).activation().delayUntil())
        .isEqualTo(Long.MAX_VALUE);
  }

  @ParameterizedTest
  @ValueSource(longs = {Long.MAX_VALUE / 1000, Long.MAX_VALUE, -1, Long.MIN_VALUE})
  void w11AHugeExpiryIsNever(long expires) {
    assertThat(decoded(TaskActivation.newBuilder().setExpires(expires)).expiresAt())
        .isEqualTo(Activation.NEVER);
  }

  @ParameterizedTest
  @ValueSource(longs = {Integer.MAX_VALUE, Integer.MAX_VALUE + 1L, Long.MAX_VALUE, -1})
  void w11AHugeDeadlineIsClamped(long seconds) {
    assertThat(
            decoded(TaskActivation.newBuilder().setProcessingDeadlineDuration(seconds))
                .deadlineSeconds())
        .isEqualTo(Integer.MAX_VALUE);
  }

  @ParameterizedTest
  @ValueSource(ints = {3, 99, -1, Integer.MIN_VALUE})
  void w10AnUnknownPolicyIsUnspecified(int number) {
    var retry = RetryState.newBuilder().setOnAttemptsExceededValue(number);

    assertThat(decoded(TaskActivation.newBuilder().setRetryState(retry)).failurePolicy())
        .isEqualTo(FailurePolicy.UNSPECIFIED);
  }

  @Test
  void anInvalidTimeOfReceiptIsNow() {
    for (Timestamp invalid :
        new Timestamp[] {
          Timestamp.newBuilder().setSeconds(Long.MAX_VALUE).build(),
          Timestamp.newBuilder().setSeconds(Long.MIN_VALUE).build(),
          Timestamp.newBuilder().setNanos(-1).build(),
          Timestamp.newBuilder().setNanos(1_000_000_000).build()
        }) {
      Activation read =
          decoded(TaskActivation.newBuilder().setReceivedAt(invalid).setDelay(1).setExpires(2));
      assertThat(read.receivedAt()).isEqualTo(NOW);
      assertThat(read.delayUntil()).isEqualTo(NOW + 1000);
      assertThat(read.expiresAt()).isEqualTo(NOW + 2000);
    }
  }

  @Test
  void w08ATombstoneIsUndecodable() {
    IngestedRecord arrival = decoder.decode(ORIGIN, NOW, null, NOW);

    assertThat(arrival.undecodable()).isEqualTo("the record has no value");
    assertThat(arrival.activation().payload()).isEmpty();
    assertUndecodable(arrival);
  }

  @Test
  void w29GarbageIsUndecodableAndKeepsItsBytes() {
    byte[] value = "\n\u00ffgarbage".getBytes(UTF_8);

    IngestedRecord arrival = decoder.decode(ORIGIN, NOW, value, NOW);

    assertThat(arrival.undecodable()).startsWith("not a TaskActivation: ").doesNotContain("\n");
    assertThat(arrival.activation().payload()).isSameAs(value);
    assertUndecodable(arrival);
  }

  @Test
  void h12WhatNoStoreCanHoldIsUndecodable() {
    assertFlaw(activation().setId(""), "the id is empty");
    assertFlaw(activation().setId("a\0b"), "the id contains U+0000");
    assertFlaw(activation().setNamespace("\0"), "the namespace contains U+0000");
    assertFlaw(activation().setTaskname("x\0"), "the taskname contains U+0000");
    assertFlaw(activation().setApplication("\0x"), "the application contains U+0000");
    assertFlaw(activation().setId("x".repeat(513)), "the id has more than 512 bytes");
    assertFlaw(activation().setId("é".repeat(257)), "the id has more than 512 bytes");
    assertFlaw(
        activation().setNamespace("x".repeat(1025)), "the namespace has more than 1024 bytes");
    assertFlaw(activation().setTaskname("x".repeat(1025)), "the taskname has more than 1024 bytes");
    assertFlaw(
        activation().setApplication("x".repeat(1025)), "the application has more than 1024 bytes");
    assertFlaw(
        activation().setParametersBytes(ByteString.copyFrom(new byte[MAX_SIZE])),
        "are more than " + MAX_SIZE);
  }

  @Test
  void namesAtTheirBoundsAreKept() {
    Activation read =
        decoded(activation().setId("é".repeat(256)).setNamespace("é".repeat(512)).setTaskname(""));

    assertThat(read.id()).hasSize(256);
    assertThat(read.namespace()).hasSize(512);
  }

  @Test
  void namesThatRecurAreSharedAndBounded() {
    String first = decoded(activation().setNamespace("recurring")).namespace();
    assertThat(decoded(activation().setNamespace("recurring")).namespace()).isSameAs(first);

    for (int i = 0; i < 5000; i++) {
      decoded(activation().setNamespace("other" + i));
    }
    assertThat(decoded(activation().setNamespace("recurring")).namespace())
        .isEqualTo(first)
        .isNotSameAs(first);
  }

  /// Messages, concatenated messages (which merge), and mutated ones: the decoder and the generated
  /// parser accept the same bytes and read the same values from them.
  @Test
  void agreesWithTheGeneratedParser() {
    long seed = new Random().nextLong();
    var random = new Random(seed);
    int accepted = 0;
    int refused = 0;
    for (int i = 0; i < 20_000; i++) {
      byte[] value = RandomMessages.next(random);
      if (assertAgreement(value, "seed " + seed + ", message " + i)) {
        accepted++;
      } else {
        refused++;
      }
    }
    assertThat(accepted).as("accepted, seed %d", seed).isGreaterThan(2_000);
    assertThat(refused).as("refused, seed %d", seed).isGreaterThan(2_000);
  }

  @Test
  void agreesWithTheGeneratedParserAtEveryTruncation() {
    byte[] value = RandomMessages.everyField().toByteArray();
    for (int length = 0; length <= value.length; length++) {
      assertAgreement(Arrays.copyOf(value, length), "cut at " + length);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 6, 7, 10})
  void agreesWithTheGeneratedParserOnDeepGroups(int outer) {
    for (int depth = 95; depth < 105; depth++) {
      byte[] groups = nestedGroups(depth);
      assertAgreement(groups, "depth " + depth);
      assertAgreement(delimited(outer, groups), "depth " + depth + " in field " + outer);
    }
  }

  /// Fields of each wire type, malformed or seemingly so: as an unknown field, behind a known
  /// field, in a nested message, and in a group.
  @ParameterizedTest
  @CsvSource({
    "a0 01 ff ff ff ff ff ff ff ff ff 01, true", // a varint of ten bytes
    "a0 01 ff ff ff ff ff ff ff ff ff 7f, true", // with excess bits, which are dropped
    "a0 01 ff ff ff ff ff ff ff ff ff ff 01, false", // of eleven bytes
    "a0 01 ff, false", // without an end
    "a1 01 01 02 03 04 05 06 07 08, true",
    "a1 01 01 02 03 04 05 06 07, false",
    "a5 01 01 02 03 04, true",
    "a5 01 01 02 03, false",
    "a2 01 02 61 62, true",
    "a2 01 82 80 80 80 00 61 62, true", // a length with superfluous bytes
    "a2 01 82 80 80 80 80 00 61 62, false", // with more than five bytes
    "a2 01 03 61 62, false", // beyond the end
    "a2 01 ff ff ff ff 07, false", // 2^31 - 1
    "a2 01 80 80 80 80 08, false", // 2^31
    "a2 01 ff ff ff ff 0f, false", // 2^32 - 1
    "a2 01 80 80 80 80 10, false", // 2^32: 0 for Java
    "a2 01 82 80 80 80 10 61 62, false", // 2^32 + 2
    "a2 01 80 80 80 80 80 20, false", // 2^40: 0 for Java
    "a2 01 ff ff ff ff ff ff ff ff ff 01, false", // -1
    "a3 01 a4 01, true", // a group
    "a3 01 a2 01 02 61 62 a4 01, true",
    "a3 01 a2 01 80 80 80 80 80 20 a4 01, false",
    "a3 01, false", // without an end
    "a4 01, false", // without a start
    "a3 01 ac 01, false", // with the end of another group
    "a6 01, false", // wire types that do not exist
    "a7 01, false",
    "00 01, false", // field 0
    "02 01 61, false",
    "f8 ff ff ff 0f 01, true", // the largest field
    "f8 ff ff ff 1f 01, false", // 2^32 above it: the same for Java
    "80 81 80 80 80 00 01, false" // a tag with more than five bytes
  })
  void agreesWithTheParsersOnEveryWireType(String hex, boolean accepted) throws IOException {
    byte[] field = HexFormat.ofDelimiter(" ").parseHex(hex);
    byte[] id = activation().build().toByteArray();

    assertThat(assertAgreement(joined(id, field), hex)).as(hex).isEqualTo(accepted);
    assertThat(assertAgreement(joined(field, id), hex + " first"))
        .as(hex)
        .isEqualTo(accepted && !hex.contains("ff 07"));
    for (int outer : new int[] {5, 6, 7}) {
      byte[] within = joined(id, delimited(outer, field));
      assertAgreement(within, hex + " in field " + outer);
    }
    byte[] group = joined(new byte[] {(byte) 0xB3, 1}, field, new byte[] {(byte) 0xB4, 1}, id);
    assertAgreement(group, hex + " in a group");
  }

  private static byte[] joined(byte[]... parts) throws IOException {
    var bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.write(part);
    }
    return bytes.toByteArray();
  }

  private static byte[] nestedGroups(int depth) {
    UnknownFieldSet set = UnknownFieldSet.getDefaultInstance();
    for (int i = 0; i < depth; i++) {
      set =
          UnknownFieldSet.newBuilder()
              .addField(20, UnknownFieldSet.Field.newBuilder().addGroup(set).build())
              .build();
    }
    return set.toByteArray();
  }

  private static byte[] delimited(int field, byte[] content) {
    var bytes = new ByteArrayOutputStream();
    var out = CodedOutputStream.newInstance(bytes);
    try {
      out.writeByteArray(field, content);
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private boolean assertAgreement(byte[] value, String which) {
    return new ParserOracle(decoder, NOW, MAX_DELAY).agrees(value, which);
  }

  private static TaskActivation.Builder activation() {
    return TaskActivation.newBuilder().setId("id");
  }

  private Activation decoded(TaskActivation.Builder message) {
    if (message.getId().isEmpty()) {
      message.setId("id");
    }
    IngestedRecord arrival = decoder.decode(ORIGIN, NOW, message.build().toByteArray(), NOW);
    assertThat(arrival.undecodable()).isNull();
    return arrival.activation();
  }

  private void assertFlaw(TaskActivation.Builder message, String flaw) {
    IngestedRecord arrival = decoder.decode(ORIGIN, NOW, message.build().toByteArray(), NOW);
    assertThat(arrival.undecodable()).contains(flaw);
    assertUndecodable(arrival);
  }

  private static void assertUndecodable(IngestedRecord arrival) {
    ParserOracle.assertUndecodable(arrival, "");
  }
}
