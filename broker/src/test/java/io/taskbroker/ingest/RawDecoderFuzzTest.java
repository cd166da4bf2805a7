package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.github.luben.zstd.Zstd;
import com.google.protobuf.ByteString;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.RecordIdentity;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.fuzz.Portions;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.telemetry.Metrics;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.params.provider.MethodSource;
import org.msgpack.core.MessagePack;

/// Fuzz test of records of a raw topic with arbitrary value, headers and timestamp (W22).
final class RawDecoderFuzzTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final int MAX_SIZE = 1_000;
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "raw", 3);

  @MethodSource("seeds")
  @FuzzTest
  void valuesArriveAsTheyAre(byte[] input) throws IOException {
    var portions = new Portions(input);
    boolean compresses = portions.number() % 2 == 1;
    long timestamp = portions.large();
    var headers = new RecordHeaders();
    for (int i = portions.number() % 4; i > 0; i--) {
      headers.add(portions.text(), portions.number() == 0 ? null : portions.bytes());
    }
    byte[] value = portions.rest();
    var message =
        new ConsumerRecord<byte[], byte[]>(
            "raw",
            3,
            77,
            timestamp,
            TimestampType.CREATE_TIME,
            0,
            value.length,
            new byte[0],
            value,
            headers,
            Optional.empty());
    var task =
        new RawTask(
            "app", "ns", "task", Duration.ofSeconds(30), compresses ? 3 : RawTask.UNCOMPRESSED);

    IngestedRecord arrival;
    IngestedRecord again;
    try (var decoder = new RawDecoder(task, MAX_SIZE, (_, _) -> {})) {
      arrival = decoder.decode(PARTITION, message, NOW);
      again = decoder.decode(PARTITION, message, NOW);
    }

    Activation activation = arrival.activation();
    assertThat(again.activation().payload()).isEqualTo(activation.payload());
    if (arrival.undecodable() != null) {
      assertThat(arrival.undecodable()).startsWith("as an activation it has ");
      assertThat(activation.payload()).isSameAs(value);
      return;
    }
    assertThat(activation.payload()).hasSizeLessThanOrEqualTo(MAX_SIZE);
    assertThat(activation.id())
        .isEqualTo(Ids.raw("topic-uuid", 3, new RecordIdentity(77, -1, timestamp)));
    assertThat(activation.receivedAt())
        .isEqualTo(timestamp >= 0 && timestamp <= 253_402_300_799_999L ? timestamp : NOW);
    TaskActivation sent = TaskActivation.parseFrom(activation.payload());
    assertThat(sent.getId()).isEqualTo(activation.id());
    assertThat(sent.getReceivedAt()).isEqualTo(Timestamps.ofMillis(activation.receivedAt()));
    assertThat(argument(sent.getParametersBytes(), compresses)).isEqualTo(value);
    assertThat(sent.getHeadersMap()).isEqualTo(expected(headers, compresses));
    IngestedRecord decoded =
        new ActivationDecoder(
                60, MAX_SIZE, new TimeWarnings(new TopicCounts("tasks", new Metrics())))
            .decode(activation.origin(), NOW, activation.payload(), NOW);
    assertThat(decoded.undecodable()).as("as a retry, it is read from a normal topic").isNull();
  }

  private static byte[] argument(ByteString parameters, boolean compresses) throws IOException {
    byte[] bytes = parameters.toByteArray();
    if (compresses) {
      bytes = Zstd.decompress(bytes, (int) Zstd.getFrameContentSize(bytes));
    }
    try (var in = MessagePack.newDefaultUnpacker(bytes)) {
      assertThat(in.unpackMapHeader()).isEqualTo(2);
      assertThat(in.unpackString()).isEqualTo("args");
      assertThat(in.unpackArrayHeader()).isEqualTo(1);
      byte[] argument = in.readPayload(in.unpackBinaryHeader());
      assertThat(in.unpackString()).isEqualTo("kwargs");
      assertThat(in.unpackMapHeader()).isZero();
      assertThat(in.hasNext()).isFalse();
      return argument;
    }
  }

  private static Map<String, String> expected(Iterable<Header> headers, boolean compresses) {
    Map<String, String> expected = new HashMap<>();
    for (Header header : headers) {
      if (header.value() != null && isUtf8(header.value())) {
        expected.put(header.key(), new String(header.value(), UTF_8));
      }
    }
    expected.remove("compression-type");
    if (compresses) {
      expected.put("compression-type", "zstd");
    }
    return expected;
  }

  private static boolean isUtf8(byte[] bytes) {
    try {
      UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException _) {
      return false;
    }
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        new Portions.Seed().number(0).large(NOW).number(0).rest("a value"),
        new Portions.Seed()
            .number(1)
            .large(-1)
            .number(2)
            .text("trace")
            .number(1)
            .text("abc")
            .text("compression-type")
            .number(1)
            .text("gzip")
            .rest("a value ".repeat(40)),
        new Portions.Seed()
            .number(0)
            .large(Long.MAX_VALUE)
            .number(1)
            .text("key")
            .number(1)
            .bytes(new byte[] {(byte) 0xC3, 0x28})
            .rest(new byte[0]),
        new Portions.Seed().number(0).large(0).number(0).rest(new byte[MAX_SIZE]));
  }
}
