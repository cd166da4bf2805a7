package io.taskbroker.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Priority;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.wire.WireOracle;
import java.math.BigInteger;
import java.util.stream.Stream;

/// Oracle for [ActivationDecoder], from the generated parser, the parsers of other languages
/// ([WireOracle]) and unbounded arithmetic: the decoder must return the same.
final class ParserOracle {
  private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);
  private static final BigInteger THOUSAND = BigInteger.valueOf(1000);
  private static final Origin ORIGIN = new Origin("tasks", 3, 77);

  private final ActivationDecoder decoder;
  private final long now;
  private final long maxDelay;

  /// @param decoder without a bound on message sizes
  /// @param maxDelay of the decoder, in seconds
  ParserOracle(ActivationDecoder decoder, long now, long maxDelay) {
    this.decoder = decoder;
    this.now = now;
    this.maxDelay = maxDelay;
  }

  /// Compares the decoder with the oracle.
  ///
  /// @return whether the parsers accept the message
  boolean agrees(byte[] value, String which) {
    IngestedRecord arrival = decoder.decode(ORIGIN, now, value, now);
    assertThat(arrival.activation().payload()).as(which).isSameAs(value);
    TaskActivation parsed;
    try {
      parsed = TaskActivation.parseFrom(value);
    } catch (InvalidProtocolBufferException e) {
      assertThat(arrival.undecodable())
          .as("%s: the parser says %s", which, e.getMessage())
          .startsWith("not a TaskActivation: ");
      assertUndecodable(arrival, which);
      return false;
    }
    if (WireOracle.refuses(value, TaskActivation.getDescriptor(), 2)) {
      assertThat(arrival.undecodable()).as(which).startsWith("not a TaskActivation: ");
      assertUndecodable(arrival, which);
      return false;
    }
    if (isFlawed(parsed)) {
      assertThat(arrival.undecodable()).as(which).startsWith("the ");
      assertUndecodable(arrival, which);
    } else {
      assertThat(arrival.undecodable()).as(which).isNull();
      assertThat(arrival.activation()).as(which).isEqualTo(expected(parsed, value));
    }
    return true;
  }

  private Activation expected(TaskActivation parsed, byte[] value) {
    Timestamp at = parsed.getReceivedAt();
    boolean dated =
        parsed.hasReceivedAt()
            && at.getSeconds() >= -62_135_596_800L
            && at.getSeconds() <= 253_402_300_799L
            && at.getNanos() >= 0
            && at.getNanos() <= 999_999_999
            && at.getSeconds() * 1000 + at.getNanos() / 1_000_000 <= now + 60_000;
    long receivedAt = dated ? at.getSeconds() * 1000 + at.getNanos() / 1_000_000 : now;
    boolean fraction = dated && at.getNanos() % 1_000_000 != 0;
    long deadline = parsed.getProcessingDeadlineDuration();
    var retry = parsed.getRetryState();
    return new Activation(
        parsed.getId(),
        parsed.getApplication(),
        parsed.getNamespace(),
        parsed.getTaskname(),
        value,
        ORIGIN,
        receivedAt,
        parsed.hasExpires() ? plus(receivedAt, unsigned(parsed.getExpires())) : Activation.NEVER,
        parsed.hasDelay()
            ? plus(
                receivedAt + (fraction ? 1 : 0),
                unsigned(parsed.getDelay()).min(BigInteger.valueOf(maxDelay)))
            : 0,
        unsigned(deadline).min(BigInteger.valueOf(Integer.MAX_VALUE)).intValue(),
        FailurePolicy.ofNumber(retry.getOnAttemptsExceededValue()),
        retry.getAtMostOnce(),
        retry.getAttempts() != 0 || Ids.isDerived(parsed.getId()),
        (byte) priority(parsed));
  }

  private static int priority(TaskActivation parsed) {
    String header = parsed.getHeadersMap().get(Priority.HEADER);
    if (header != null && header.matches("-?[0-9]{1,9}")) {
      return Math.clamp(Long.parseLong(header), -4, 4);
    }
    var field = parsed.getUnknownFields().getField(Task.PRIORITY_FIELD_NUMBER).getVarintList();
    int encoded = field.isEmpty() ? 0 : field.getLast().intValue();
    return Math.clamp(CodedInputStream.decodeZigZag32(encoded), -4, 4);
  }

  /// Whether no store could hold it (H12).
  private static boolean isFlawed(TaskActivation parsed) {
    return parsed.getId().isEmpty()
        || parsed.getId().getBytes(UTF_8).length > 512
        || Stream.of(parsed.getNamespace(), parsed.getTaskname(), parsed.getApplication())
            .anyMatch(name -> name.getBytes(UTF_8).length > 1024)
        || Stream.of(
                parsed.getId(),
                parsed.getNamespace(),
                parsed.getTaskname(),
                parsed.getApplication())
            .anyMatch(name -> name.contains("\0"));
  }

  static void assertUndecodable(IngestedRecord arrival, String which) {
    Activation kept = arrival.activation();
    assertThat(kept)
        .as(which)
        .isEqualTo(
            new Activation(
                "undecodable:tasks:3:77:" + kept.receivedAt(),
                "",
                "",
                "",
                kept.payload(),
                ORIGIN,
                kept.receivedAt(),
                Activation.NEVER,
                0,
                0,
                FailurePolicy.DEAD_LETTER,
                false,
                false));
  }

  private static BigInteger unsigned(long number) {
    return new BigInteger(Long.toUnsignedString(number));
  }

  /// Sum; seconds beyond the range of milliseconds give the maximum, whatever they are added to.
  private static long plus(long millis, BigInteger seconds) {
    BigInteger more = seconds.multiply(THOUSAND);
    return more.compareTo(MOST) > 0
        ? Long.MAX_VALUE
        : more.add(BigInteger.valueOf(millis)).min(MOST).longValueExact();
  }
}
