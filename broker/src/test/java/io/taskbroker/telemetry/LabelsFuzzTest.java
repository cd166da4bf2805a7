package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.taskbroker.fuzz.Portions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Arbitrary names of tasks, namespaces and applications, which are tag values (W46): each line
/// stays one well-formed line.
final class LabelsFuzzTest {
  private static final String VALUE = "[!-~&&[^,|#]]{0,100}";
  private static final Pattern STATSD =
      Pattern.compile(
          "taskbroker\\.[a-z0-9_.]+:-?[0-9]+(\\.[0-9]+)?\\|[cgh](\\|@0?\\.?[0-9]+)?"
              + "(\\|#[a-z_]+:"
              + VALUE
              + "(,[a-z_]+:"
              + VALUE
              + ")*)?");
  private static final Pattern PROMETHEUS =
      Pattern.compile(
          "# (HELP|TYPE) [a-z0-9_]+ .*|[a-z0-9_]+(\\{([a-z_]+=\"([^\"\\\\]|\\\\[\\\\\"])*\",?)*})?"
              + " [-+0-9.eEInfNa]+");

  @MethodSource("seeds")
  @FuzzTest
  void linesStayLines(byte[] input) throws IOException {
    var portions = new Portions(input);
    var metrics = new Metrics();
    var lines = new StatsdLines(metrics, Map.of("tag", portions.text()));
    lines.write(_ -> {});
    int values = 0;
    while (!portions.isEmpty() && values++ < 20) {
      String first = portions.text();
      String second = portions.text();
      metrics.submitted.of(first).inc();
      metrics.setStatus.of(first, second).inc(portions.number());
      metrics.receivedToPush.of(first, second).observe(Double.longBitsToDouble(portions.large()));
      metrics.currentPartitions.of(first).set(portions.number());
    }

    List<String> written = new ArrayList<>();
    lines.write(written::add);
    assertThat(written).allMatch(line -> STATSD.matcher(line).matches());
    var body = new ByteArrayOutputStream();
    PrometheusTextFormatWriter.create().write(body, metrics.scrape(), EscapingScheme.ALLOW_UTF8);
    assertThat(body.toString(UTF_8).lines()).allMatch(line -> PROMETHEUS.matcher(line).matches());
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
        seed("a", "b"),
        seed("a,b|#c:d\n", "\"\\\u0000é"),
        seed("x".repeat(200), "\uD83D\uDE00"),
        seed("", ""));
  }

  private static byte[] seed(String first, String second) {
    var seed = new Portions.Seed().text(second).text(first).text(second).number(3);
    return seed.large(Double.doubleToLongBits(0.25)).number(1).rest(new byte[0]);
  }
}
