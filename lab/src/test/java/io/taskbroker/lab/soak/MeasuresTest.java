package io.taskbroker.lab.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Parsing and evaluation of a process's measurements and log.
final class MeasuresTest {
  @Test
  void heapIsReadFromAHistogram() {
    var before = Heap.parse(List.of("   1:  10  1000  [B (java.base@25)"), 1);
    var after =
        Heap.parse(
            List.of(
                " num     #instances         #bytes  class name (module)",
                "-------------------------------------------------------",
                "   1:          2002         163000  [B (java.base@25)",
                "   2:           500          12000  java.lang.String (java.base@25)",
                "Total          2502         175000"),
            2);

    assertThat(after.bytes()).isEqualTo(175_000);
    assertThat(after.grownSince(before)).isEqualTo("[B by 162,000, java.lang.String by 12,000");
    assertThatThrownBy(() -> Heap.parse(List.of("no such process"), 0))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("no such process");
  }

  @Test
  void leaksAreGrowthAndBurstsAreNot() {
    assertThat(growth(i -> 50 + (i % 3 == 0 ? 100 : 0)).changes()).allMatch(Growth.Change::isFlat);
    assertThat(growth(i -> 50 + 4 * i).changes())
        .allSatisfy(change -> assertThat(change.isFlat()).as(change.what()).isFalse());
    assertThat(new Growth(true, List.of(), List.of()).isMeasured()).isFalse();
  }

  private static Growth growth(java.util.function.IntUnaryOperator megabytes) {
    return new Growth(
        true,
        IntStream.range(0, 30)
            .mapToObj(i -> new Heap(i, (long) megabytes.applyAsInt(i) << 20, Map.of()))
            .toList(),
        IntStream.range(0, 30)
            .mapToObj(i -> {
              int value = megabytes.applyAsInt(i);
              return new Sample(i, 1, (long) value << 20, value, value, 0);
            })
            .toList());
  }

  @Test
  void errorsNeedAnExplainingFault() {
    List<String> lines =
        List.of(
            "2026-01-01T00:00:00.000Z ERROR KafkaWatch: Kafka at 127.0.0.1:1 does not answer",
            "2026-01-01T00:00:00.000Z ERROR Watchdog: not ready",
            "2026-01-01T00:00:00.000Z WARN  Outbox: 17 messages wait",
            "2026-01-01T00:00:00.000Z WARN  Outbox: 18 messages wait",
            "2026-01-01T00:00:00.000Z INFO  Broker: all is well",
            "\tat io.taskbroker.Somewhere");

    BrokerLog explained = BrokerLog.of(lines, EnumSet.of(FaultKind.KAFKA_GONE));
    assertThat(explained.errors()).isEqualTo(2);
    assertThat(explained.unexpected()).containsExactly(lines.get(1), "at io.taskbroker.Somewhere");
    assertThat(explained.warnings()).containsExactly(Map.entry("Outbox: … messages wait", 2));
    assertThat(BrokerLog.of(lines, Set.of()).unexpected()).hasSize(3);
  }

  @Test
  void reportsAreJson() {
    assertThat(Json.of(Map.of("a", List.of(1, true, "say \"x\"\n\u0001"))))
        .isEqualTo("{\"a\":[1,true,\"say \\\"x\\\"\\n\\u0001\"]}");
  }
}
