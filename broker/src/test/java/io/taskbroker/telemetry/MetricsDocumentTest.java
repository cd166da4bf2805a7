package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// `docs/metrics.md` says what is declared.
final class MetricsDocumentTest {
  private static final String FILE = "docs/metrics.md";

  @Test
  void theDocumentIsThatOfTheDeclarations() throws Exception {
    Path file = root().resolve(FILE);
    if (Boolean.getBoolean("docs.renew")) {
      Files.writeString(file, MetricsDocument.markdown());
    }

    assertThat(file)
        .as("%s is stale; renew it by: %s", FILE, MetricsDocument.RENEW)
        .hasContent(MetricsDocument.markdown());
  }

  @Test
  void everyMetricHasItsOwnNames() {
    assertThat(new Metrics().declared()).extracting(Declared::name).doesNotHaveDuplicates();
    assertThat(new Metrics().declared())
        .extracting(Declared::exposed)
        .doesNotHaveDuplicates()
        .allMatch(name -> name.matches("taskbroker_[a-z_]+"));
  }

  /// The folder of the project, of which a module's folder is the working directory of its tests.
  private static Path root() {
    Path here = Path.of("").toAbsolutePath();
    return Files.exists(here.resolve(FILE)) ? here : here.resolve("..");
  }
}
