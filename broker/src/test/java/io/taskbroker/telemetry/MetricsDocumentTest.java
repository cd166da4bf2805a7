package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import org.junit.jupiter.api.Test;

/// `docs/metrics.md` says what is declared.
final class MetricsDocumentTest {
  @Test
  void theDocumentIsUpToDate() {
    Documents.check("metrics.md", MetricsDocument.markdown());
  }

  @Test
  void everyMetricHasItsOwnNames() {
    assertThat(new Metrics().declared()).extracting(Declared::name).doesNotHaveDuplicates();
    assertThat(new Metrics().declared())
        .extracting(Declared::exposed)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.matches("taskbroker_[a-z_]+"));
  }
}
