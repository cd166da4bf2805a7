package io.taskbroker.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.Documents;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `docs/configuration.md` matches the keys, and its examples load.
final class ConfigurationDocumentTest {
  @Test
  void theDocumentIsUpToDate() {
    Documents.check("configuration.md", ConfigurationDocument.write());
  }

  @ParameterizedTest
  @ValueSource(strings = {ConfigurationDocument.PULL_NAME, ConfigurationDocument.PUSH_NAME})
  void theExamplesLoadWithoutAWarning(String name) {
    var warnings = new ArrayList<String>();

    BrokerConfig config = Configs.load(ConfigurationDocument.example(name), Map.of(), warnings);

    assertThat(warnings).isEmpty();
    assertThat(config.deliveryMode().name()).isEqualToIgnoringCase(name);
  }

  @Test
  void everyKeyHasItsOwnPathAndAMeaning() {
    Set<String> paths = new HashSet<>();
    for (Key<BrokerConfig, ?> key : ConfigKeys.BROKER) {
      assertThat(paths.add(key.path())).as(key.path()).isTrue();
      assertThat(List.of(key.doc().meaning(), key.doc().note()))
          .as(key.path())
          .noneMatch(text -> text.endsWith("."));
      assertThat(key.doc().meaning()).as(key.path()).isNotBlank();
      assertThat(key.doc().honoured() || !key.doc().note().isBlank()).as(key.path()).isTrue();
    }
  }
}
