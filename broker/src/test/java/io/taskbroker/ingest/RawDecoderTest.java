package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;

import com.github.luben.zstd.Zstd;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.Retries;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.msgpack.core.MessagePack;

final class RawDecoderTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final long TIMESTAMP = 1_699_999_000_456L;
  private static final int MAX_SIZE = 100_000;
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "raw", 3);
  private static final RawTask PLAIN =
      new RawTask("app", "ns", "mod.task", Duration.ofSeconds(30), RawTask.UNCOMPRESSED);
  private static final RawTask COMPRESSED =
      new RawTask("app", "ns", "mod.task", Duration.ofSeconds(30), 3);

  private RawDecoder decoder = new RawDecoder(COMPRESSED, MAX_SIZE, (_, _) -> {});

  @AfterEach
  void close() {
    decoder.close();
  }

  @Test
  void aRecordIsTheArgumentOfTheConfiguredTask() throws Exception {
    IngestedRecord arrival = decode("hello".getBytes(UTF_8), new RecordHeaders());

    assertThat(arrival.undecodable()).isNull();
    Activation activation = arrival.activation();
    assertThat(activation.id())
        .isEqualTo(Ids.raw("topic-uuid", 3, new RecordIdentity(77, -1, TIMESTAMP)));
    assertThat(activation.application()).isEqualTo("app");
    assertThat(activation.namespace()).isEqualTo("ns");
    assertThat(activation.taskname()).isEqualTo("mod.task");
    assertThat(activation.origin()).isEqualTo(new Origin("raw", 3, 77));
    assertThat(activation.receivedAt()).isEqualTo(TIMESTAMP);
    assertThat(activation.expiresAt()).isEqualTo(Activation.NEVER);
    assertThat(activation.delayUntil()).isZero();
    assertThat(activation.deadlineSeconds()).isEqualTo(30);
    assertThat(activation.failurePolicy()).isEqualTo(FailurePolicy.DISCARD);
    assertThat(activation.atMostOnce()).isFalse();
    assertThat(activation.derived()).isTrue();

    TaskActivation sent = TaskActivation.parseFrom(activation.payload());
    assertThat(sent.getId()).isEqualTo(activation.id());
    assertThat(sent.getApplication()).isEqualTo("app");
    assertThat(sent.getNamespace()).isEqualTo("ns");
    assertThat(sent.getTaskname()).isEqualTo("mod.task");
    assertThat(sent.getProcessingDeadlineDuration()).isEqualTo(30);
    assertThat(sent.getReceivedAt().getSeconds()).isEqualTo(TIMESTAMP / 1000);
    assertThat(sent.getReceivedAt().getNanos()).isEqualTo(456_000_000);
    assertThat(sent.hasRetryState()).isFalse();
    assertThat(sent.hasExpires()).isFalse();
    assertThat(sent.hasDelay()).isFalse();
    assertThat(sent.getHeadersMap()).containsOnlyKeys("compression-type");
    assertThat(argument(sent)).isEqualTo("hello".getBytes(UTF_8));
  }

  @Test
  void uncompressedBytesEqualTheReferences() throws Exception {
    decoder = new RawDecoder(PLAIN, MAX_SIZE, (_, _) -> {});

    TaskActivation sent = decoded(new byte[] {1, 2, 3});

    assertThat(HexFormat.of().formatHex(sent.getParametersBytes().toByteArray()))
        .isEqualTo("82a4" + "61726773" + "91c403010203" + "a6" + "6b7761726773" + "80");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 255, 256, 65_535, 65_536, 99_000})
  void everySizeIsDecodedByAReader(int size) throws Exception {
    byte[] value = new byte[size];
    new Random(size).nextBytes(value);
    for (RawTask task : new RawTask[] {PLAIN, COMPRESSED}) {
      try (var each = new RawDecoder(task, 2 * MAX_SIZE, (_, _) -> {})) {
        decoder = each;
        assertThat(argument(decoded(value))).isEqualTo(value);
      }
    }
  }

  @Test
  void aRecordWithoutAValueIsAnEmptyOne() throws Exception {
    assertThat(argument(decoded(null))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {-50, 0, 1, 3, 19, 22})
  void theFrameHasTheUncompressedSize(int level) throws Exception {
    decoder =
        new RawDecoder(
            new RawTask("app", "ns", "t", Duration.ofSeconds(1), level), MAX_SIZE, (_, _) -> {});
    byte[] value = "again and ".repeat(1000).getBytes(UTF_8);

    TaskActivation sent = decoded(value);

    byte[] frame = sent.getParametersBytes().toByteArray();
    assertThat(Zstd.getFrameContentSize(frame)).isEqualTo(15 + 3 + 10_000);
    assertThat(frame.length).isLessThan(2_000);
    assertThat(argument(sent)).isEqualTo(value);
  }

  @Test
  void reusedBuffersLeakNothingIntoTheNextRecord() throws Exception {
    var random = new Random(7);
    for (int i = 0; i < 500; i++) {
      byte[] value = new byte[random.nextInt(5000)];
      random.nextBytes(value);
      assertThat(argument(decoded(value))).as("record %d", i).isEqualTo(value);
    }
  }

  @Test
  void textHeadersAreKeptAndTheLastOfANameWins() throws Exception {
    var headers = new RecordHeaders();
    headers.add("a", "first".getBytes(UTF_8));
    headers.add("binary", new byte[] {(byte) 0xff});
    headers.add("nothing", null);
    headers.add("a", "l\u00e4st".getBytes(UTF_8));
    headers.add("a", new byte[] {(byte) 0xc3});
    headers.add("compression-type", "plaintext".getBytes(UTF_8));

    TaskActivation sent =
        TaskActivation.parseFrom(decode(new byte[1], headers).activation().payload());

    assertThat(sent.getHeadersMap())
        .containsOnly(entry("a", "l\u00e4st"), entry("compression-type", "zstd"));
  }

  @Test
  void aHeaderCannotDeclarePlainParametersCompressed() throws Exception {
    decoder = new RawDecoder(PLAIN, MAX_SIZE, (_, _) -> {});
    var headers = new RecordHeaders();
    headers.add("compression-type", "zstd".getBytes(UTF_8));

    TaskActivation sent =
        TaskActivation.parseFrom(decode(new byte[1], headers).activation().payload());

    assertThat(sent.getHeadersMap()).isEmpty();
    assertThat(argument(sent)).hasSize(1);
  }

  @Test
  void w22TheSameRecordGivesTheSameBytesAgain() {
    byte[] value = "event".getBytes(UTF_8);
    byte[] first = decode(value, new RecordHeaders()).activation().payload();
    decoder.close();
    decoder = new RawDecoder(COMPRESSED, MAX_SIZE, (_, _) -> {});

    assertThat(decode(value, new RecordHeaders()).activation().payload()).isEqualTo(first);
  }

  @Test
  void h01ARecreatedTopicGivesOtherIds() {
    var other = new SourcePartition("cluster", "group", "another-uuid", "raw", 3);
    var message = message(new byte[1], new RecordHeaders(), TIMESTAMP);

    assertThat(decoder.decode(other, message, NOW).activation().id())
        .isNotEqualTo(decoder.decode(PARTITION, message, NOW).activation().id());
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, Long.MIN_VALUE, Long.MAX_VALUE, 253_402_300_800_000L})
  void anInvalidTimestampMeansReceivedNow(long timestamp) throws Exception {
    Activation activation =
        decoder
            .decode(PARTITION, message(new byte[1], new RecordHeaders(), timestamp), NOW)
            .activation();

    assertThat(activation.receivedAt()).isEqualTo(NOW);
    assertThat(TaskActivation.parseFrom(activation.payload()).getReceivedAt())
        .isEqualTo(Timestamp.newBuilder().setSeconds(1_700_000_000).setNanos(123_000_000).build());
  }

  @Test
  void g7WhatBecomesTooLargeIsKeptAsItWasForTheDeadLetterTopic() {
    byte[] value = new byte[MAX_SIZE];
    new Random(1).nextBytes(value);

    IngestedRecord arrival = decode(value, new RecordHeaders());

    assertThat(arrival.undecodable()).contains("as an activation it has", "more than " + MAX_SIZE);
    assertThat(arrival.activation().payload()).isSameAs(value);
    assertThat(arrival.activation().failurePolicy()).isEqualTo(FailurePolicy.DEAD_LETTER);
    assertThat(arrival.activation().id()).isEqualTo("undecodable:raw:3:77:" + TIMESTAMP);
  }

  @Test
  void g7WhatCompressesWellMayBeLargerButNotWithoutBound() {
    assertThat(decode(new byte[1 << 20], new RecordHeaders()).undecodable()).isNull();
    assertThat(decode(new byte[RawDecoder.MAX_VALUE_BYTES + 1], new RecordHeaders()).undecodable())
        .contains("more than " + RawDecoder.MAX_VALUE_BYTES);
  }

  @Test
  void aRetryKeepsTheArgumentAndHasARetryStateOnlyIfTheWorkerSetOne() throws Exception {
    byte[] value = "event".getBytes(UTF_8);
    Activation failed = decode(value, new RecordHeaders()).activation();

    Optional<Retries.Retry> silent = Retries.of(failed.payload(), failed.id(), 0, -1, -1, NOW);
    Optional<Retries.Retry> given = Retries.of(failed.payload(), failed.id(), 0, 4, 7, NOW);

    TaskActivation first = TaskActivation.parseFrom(silent.orElseThrow().payload());
    assertThat(first.hasRetryState()).isFalse();
    assertThat(argument(first)).isEqualTo(value);
    var retries =
        new ActivationDecoder(
            0, MAX_SIZE, new TimeWarnings(new TopicCounts("tasks", new Metrics())));
    assertThat(
            retries
                .decode(new Origin("retries", 0, 1), NOW, silent.get().payload(), NOW)
                .activation()
                .derived())
        .as("h08: leaves a tombstone")
        .isTrue();
    TaskActivation second = TaskActivation.parseFrom(given.orElseThrow().payload());
    assertThat(second.getRetryState().getAttempts()).isOne();
    assertThat(second.getRetryState().getMaxAttempts()).isEqualTo(4);
    assertThat(second.getDelay()).isEqualTo(7);
    assertThat(argument(second)).isEqualTo(value);
    assertThat(second.getId()).isEqualTo(Ids.retry(failed.id(), 1));
  }

  private TaskActivation decoded(byte @Nullable [] value) throws InvalidProtocolBufferException {
    IngestedRecord arrival = decode(value, new RecordHeaders());
    assertThat(arrival.undecodable()).isNull();
    return TaskActivation.parseFrom(arrival.activation().payload());
  }

  private IngestedRecord decode(byte @Nullable [] value, RecordHeaders headers) {
    return decoder.decode(PARTITION, message(value, headers, TIMESTAMP), NOW);
  }

  private static ConsumerRecord<byte[], byte[]> message(
      byte @Nullable [] value, RecordHeaders headers, long timestamp) {
    return new ConsumerRecord<>(
        "raw",
        3,
        77,
        timestamp,
        TimestampType.CREATE_TIME,
        0,
        value == null ? 0 : value.length,
        "key".getBytes(UTF_8),
        value,
        headers,
        Optional.empty());
  }

  /// Decodes the parameters as the Python client does (reference-spec 2.3), with independent code.
  private static byte[] argument(TaskActivation activation) throws Exception {
    byte[] parameters = activation.getParametersBytes().toByteArray();
    if (activation.getHeadersOrDefault("compression-type", "").equals("zstd")) {
      parameters = Zstd.decompress(parameters, (int) Zstd.getFrameContentSize(parameters));
    }
    try (var in = MessagePack.newDefaultUnpacker(parameters)) {
      assertThat(in.unpackMapHeader()).isEqualTo(2);
      assertThat(in.unpackString()).isEqualTo("args");
      assertThat(in.unpackArrayHeader()).isOne();
      byte[] argument = in.readPayload(in.unpackBinaryHeader());
      assertThat(in.unpackString()).isEqualTo("kwargs");
      assertThat(in.unpackMapHeader()).isZero();
      assertThat(in.hasNext()).isFalse();
      return argument;
    }
  }
}
