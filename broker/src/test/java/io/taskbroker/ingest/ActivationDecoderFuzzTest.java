package io.taskbroker.ingest;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.taskbroker.activation.Origin;
import io.taskbroker.fuzz.Cost;
import io.taskbroker.telemetry.Metrics;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Fuzz test of records of a normal topic with arbitrary bytes (W8, W10, W11, W29, H12).
final class ActivationDecoderFuzzTest {
  private static final long NOW = 1_700_000_000_123L;
  private static final int MAX_SIZE = 4 << 20;
  private static final Origin ORIGIN = new Origin("tasks", 3, 77);

  @MethodSource("seeds")
  @FuzzTest
  void decodesWhatTheGeneratedParserDoes(byte[] value) {
    for (long maxDelay : new long[] {3600, Long.MAX_VALUE}) {
      var decoder =
          new ActivationDecoder(
              maxDelay, MAX_SIZE, new TimeWarnings(new TopicCounts("tasks", new Metrics())));
      // Only names are copied, as UTF-16.
      Cost.within(20_000 + 8L * value.length, () -> decoder.decode(ORIGIN, NOW, value, NOW));
      new ParserOracle(decoder, NOW, maxDelay).agrees(value, "");
    }
  }

  static Stream<byte[]> seeds() {
    var random = new Random(29);
    return Stream.concat(
        Stream.of(RandomMessages.everyField().toByteArray()),
        Stream.generate(() -> RandomMessages.next(random)).limit(20));
  }
}
