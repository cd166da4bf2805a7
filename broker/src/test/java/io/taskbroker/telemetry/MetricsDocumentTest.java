package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import io.taskbroker.telemetry.Declared.Channel;
import java.util.List;
import org.junit.jupiter.api.Test;

/// `docs/metrics.md` matches the declarations.
final class MetricsDocumentTest {
  @Test
  void theDocumentIsUpToDate() {
    Documents.check("metrics.md", MetricsDocument.markdown());
  }

  @Test
  void everyMetricHasItsOwnNames() {
    for (Channel unlike : List.of(Channel.STATSD, Channel.PROMETHEUS)) {
      List<Declared> received =
          new Metrics().declared().stream().filter(each -> each.channel() != unlike).toList();
      assertThat(received).extracting(Declared::name).doesNotHaveDuplicates();
      assertThat(received)
          .extracting(Declared::exposed)
          .doesNotHaveDuplicates()
          .allMatch(name -> name.matches("taskbroker_[a-z_]+"));
    }
  }
}
