package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.DeliveryMode;
import io.taskbroker.config.RuntimeConfig;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.ingest.TopicSource;
import io.taskbroker.rules.RuleSet;
import io.taskbroker.shadow.ShadowReader;
import io.taskbroker.shadow.ShadowReport;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/// Factory of the shadow readers of a configuration. Stateless and thread-safe.
public final class ShadowReaders {
  private ShadowReaders() {}

  /// Opens a reader for each topic that the configuration consumes; the caller closes them.
  ///
  /// @param warnings receives one line for each questionable rule
  /// @throws io.taskbroker.deadletter.DeadLetterException if a topic does not exist, or Kafka does
  ///   not answer
  /// @throws io.taskbroker.config.ConfigException if the rules cannot be read or do not parse
  public static List<ShadowReader> open(
      BrokerConfig config, ShadowReader.From from, ShadowReport report, Consumer<String> warnings) {
    Rules rules = rules(config, warnings);
    Predicate<String> hasWorker =
        config.deliveryMode() == DeliveryMode.PUSH ? config.workerMap()::containsKey : _ -> true;
    var readers = new ArrayList<ShadowReader>();
    try {
      for (TopicSource source : StageOptions.sources(config)) {
        readers.add(
            new ShadowReader(
                source,
                config.kafka().clusterOf(source.topic()),
                StageOptions.ingest(config, "shadow"),
                rules,
                hasWorker,
                from,
                report));
      }
      return readers;
    } catch (RuntimeException e) {
      readers.forEach(ShadowReader::close);
      throw e;
    }
  }

  private static Rules rules(BrokerConfig config, Consumer<String> warnings) {
    return config
        .ingest()
        .runtimeConfig()
        .<Rules>map(file ->
            new RuleSet(RuntimeConfig.load(file, warnings), StageOptions.ruleContext(config)))
        .orElse(Rules.NONE);
  }
}
