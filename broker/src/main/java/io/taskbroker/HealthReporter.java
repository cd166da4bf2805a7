package io.taskbroker;

import io.taskbroker.runtime.Condition;
import io.taskbroker.runtime.HealthReport;
import io.taskbroker.runtime.HealthSource;
import io.taskbroker.telemetry.LogFields;
import io.taskbroker.telemetry.Metrics;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Assembles the health report from the watchdog's findings and the stages' own conditions, with
/// the age of each; exposes it as metrics, and logs each beginning and end. Confined to the
/// watchdog's thread.
final class HealthReporter implements Watchdog.Findings {
  private static final Logger log = LoggerFactory.getLogger(HealthReporter.class);

  private static final Set<Condition.Kind> OF_NO_STAGE =
      EnumSet.of(
          Condition.Kind.CLOCK_STEPPED,
          Condition.Kind.CERTIFICATE_EXPIRED,
          Condition.Kind.CERTIFICATE_EXPIRES_SOON);

  private final List<HealthSource> sources;
  private final Metrics metrics;
  private final InstantSource clock;
  private final Consumer<HealthReport> receiver;

  /// Conditions that hold, with the monotonic time at which they began.
  private final Map<Key, Begun> known = new LinkedHashMap<>();

  private record Key(Condition.Kind kind, String stage) {}

  private record Begun(Condition condition, long at) {}

  HealthReporter(
      List<HealthSource> sources,
      Metrics metrics,
      InstantSource clock,
      Consumer<HealthReport> receiver) {
    this.sources = sources;
    this.metrics = metrics;
    this.clock = clock;
    this.receiver = receiver;
  }

  @Override
  public void found(boolean live, boolean ready, List<Condition> ofStages, long now) {
    var current = new ArrayList<>(ofStages);
    sources.forEach(source -> current.addAll(source.conditions()));
    var seen = new LinkedHashMap<Key, Condition>();
    current.forEach(each -> seen.putIfAbsent(new Key(each.kind(), each.stage()), each));
    var ended = new ArrayList<Key>();
    known.keySet().stream().filter(key -> !seen.containsKey(key)).forEach(ended::add);
    var begun = new ArrayList<Condition>();
    seen.forEach((key, condition) -> {
      Begun before = known.get(key);
      if (before == null) {
        begun.add(condition);
      }
      known.put(key, new Begun(condition, before == null ? now : before.at));
    });
    ended.forEach(known::remove);
    receiver.accept(report(live, ready, now));
    metrics.ready.set(ready ? 1 : 0);
    ended.forEach(key -> gauge(key.kind, key.stage, 0));
    known.values().forEach(each -> gauge(each.condition.kind(), each.condition.stage(), 1));
    begun.forEach(HealthReporter::logBeginning);
    ended.forEach(key ->
        log.atInfo()
            .addKeyValue(LogFields.EVENT, key.kind.label() + "_over")
            .log("Condition {} of {} is over", key.kind.label(), key.stage));
  }

  private HealthReport report(boolean live, boolean ready, long now) {
    long millis = clock.millis();
    List<HealthReport.Entry> entries =
        known.values().stream()
            .map(each -> {
              long age = TimeUnit.NANOSECONDS.toMillis(Math.max(0, now - each.at));
              return new HealthReport.Entry(each.condition, millis - age, age / 1_000);
            })
            .toList();
    return new HealthReport(live, ready, now, entries);
  }

  private void gauge(Condition.Kind kind, String stage, int value) {
    metrics.healthConditions.of(kind.label(), stage).set(value);
  }

  /// Logs the beginning. The stages log the reasons of their conditions themselves.
  private static void logBeginning(Condition condition) {
    if (!OF_NO_STAGE.contains(condition.kind())) {
      log.atInfo()
          .addKeyValue(LogFields.EVENT, condition.kind().label())
          .log("Condition {} of {} began", condition.kind().label(), condition.stage());
      return;
    }
    log.atWarn()
        .addKeyValue(LogFields.EVENT, condition.kind().label())
        .log(
            "Condition {} of {} began: {}. {}",
            condition.kind().label(),
            condition.stage(),
            condition.reason(),
            condition.kind().action());
  }
}
