package io.taskbroker;

import io.taskbroker.audit.Audit;
import io.taskbroker.audit.AuditReport;
import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.TopicConfig;
import io.taskbroker.runtime.FailureSink;
import io.taskbroker.runtime.LoopThread;
import io.taskbroker.runtime.Service;
import io.taskbroker.store.OffsetLookup;
import io.taskbroker.telemetry.Metrics;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Stage that audits a sample of each consumed topic at the start and once a minute, by connections
/// of its own. Nothing waits for it, and it never makes the broker unready.
final class AuditSampler implements Service {
  private static final Logger log = LoggerFactory.getLogger(AuditSampler.class);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(1);

  private final BrokerConfig config;
  private final Metrics metrics;
  private final RandomGenerator random = RandomGenerator.getDefault();
  private final LoopThread thread;

  AuditSampler(BrokerConfig config, Metrics metrics, FailureSink failures) {
    this.config = config;
    this.metrics = metrics;
    this.thread = new LoopThread("audit", this::turn, failures);
  }

  @Override
  public String name() {
    return "audit";
  }

  @Override
  public void start() {
    thread.start();
  }

  @Override
  public void stop() {
    if (!thread.stop(STOP_TIMEOUT)) {
      log.warn("The audit is still waiting for Kafka or the store");
    }
  }

  private void turn() throws InterruptedException {
    for (TopicConfig topic : config.kafka().topics().values()) {
      if (!topic.produceOnly() && !topic.consumerDisabled()) {
        audit(topic);
      }
    }
    TimeUnit.MINUTES.sleep(1);
  }

  private void audit(TopicConfig topic) throws InterruptedException {
    try (OffsetLookup store = StoreReaders.offsets(config)) {
      AuditReport report =
          Audit.sample(config.kafka(), topic, config.upkeep().auditSampleRecords(), random, store);
      report
          .counts()
          .forEach((outcome, count) ->
              metrics.auditRecords.of(topic.name(), outcome.label()).inc(count));
      report.entries().stream()
          .filter(entry -> entry.outcome().isLoss())
          .findFirst()
          .ifPresent(entry ->
              log.error(
                  "Audit: record {} of topic {}, partition {} was lost: {}; run taskbroker audit",
                  entry.offset(),
                  topic.name(),
                  entry.partition(),
                  entry.outcome().text()));
    } catch (RuntimeException e) {
      if (Thread.interrupted()) {
        throw (InterruptedException) new InterruptedException("stopped").initCause(e);
      }
      metrics.auditFailures.inc();
      log.warn("Cannot audit topic {}: {}", topic.name(), e.getMessage());
    }
  }
}
