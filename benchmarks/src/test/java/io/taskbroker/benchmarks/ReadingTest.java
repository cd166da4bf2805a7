package io.taskbroker.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

/// Parsing of the output of other programs.
final class ReadingTest {
  @Test
  void threadsOfTheSameWorkAreOneKind() {
    assertThat(ProcessUsage.kind("C2 CompilerThre")).isEqualTo("JIT");
    assertThat(ProcessUsage.kind("VM Thread")).isEqualTo("GC");
    assertThat(ProcessUsage.kind("push-1-1")).isEqualTo(ProcessUsage.kind("push-1-2"));
    assertThat(ProcessUsage.kind("store-committer")).isEqualTo("store-committer");
  }

  @Test
  void allKindsOfFsyncsAreCounted() {
    List<String> lines =
        List.of(
            "# started on a day",
            "",
            "12,,syscalls:sys_enter_fsync,4000,100.00,,",
            "30,,syscalls:sys_enter_fdatasync,4000,100.00,,");

    assertThat(Fsyncs.sum(lines)).isEqualTo(OptionalLong.of(42));
  }

  @Test
  void uncountableFsyncsAreNotZero() {
    assertThat(Fsyncs.sum(List.of("<not supported>,,syscalls:sys_enter_fsync,0,100.00,,")))
        .isEmpty();
    assertThat(Fsyncs.sum(List.of())).isEmpty();
  }

  @Test
  void labelledCountersAreSummed() {
    String text =
        """
        # TYPE taskbroker_x counter
        taskbroker_x_total{a="b c"} 2
        taskbroker_x_total{a="d"} 3.5
        taskbroker_y_count 1e3
        """;

    assertThat(Scrape.parse(text))
        .containsEntry("taskbroker_x_total", 5.5)
        .containsEntry("taskbroker_y_count", 1_000.0);
  }

  @Test
  void figuresKeepThreeDigits() {
    assertThat(Summary.round(0.0123456)).isEqualTo(0.0123);
    assertThat(Summary.round(12.3456)).isEqualTo(12.3);
    assertThat(Summary.round(21_345.6)).isEqualTo(21_346);
    assertThat(Summary.round(Double.NaN)).isZero();
  }

  @Test
  void aPlotHasOneLinePerSeries() {
    var plot = new Plot("title", "x", "y", true);
    assertThat(plot.isEmpty()).isTrue();

    plot.line("one", List.of(new Plot.Point(1, 10), new Plot.Point(1_000, 20)));
    plot.line("two", List.of(new Plot.Point(1, 0), new Plot.Point(1_000, 0)));

    assertThat(plot.svg().split("<polyline", -1)).hasSize(3);
    assertThat(plot.svg()).doesNotContain("NaN").endsWith("</svg>\n");
  }
}
