package io.taskbroker.config;

import static java.lang.Math.ceilDiv;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Complete, validated configuration of a broker. Immutable; its text form hides secrets.
///
/// @param workerMap worker URL of each application, in push mode
public record BrokerConfig(
    DeliveryMode deliveryMode,
    Map<String, URI> workerMap,
    GrpcConfig grpc,
    KafkaConfig kafka,
    IngestConfig ingest,
    StoreConfig store,
    FetchConfig fetch,
    PushConfig push,
    StatusUpdateConfig statusUpdates,
    UpkeepConfig upkeep,
    TelemetryConfig telemetry,
    AdminConfig admin,
    TaskStepConfig taskSteps) {

  static BrokerConfig read(Values values) {
    boolean given = values.has(DeliveryKeys.WORKER_MAP);
    Map<String, URI> workers =
        given ? values.get(DeliveryKeys.WORKER_MAP) : DeliveryKeys.WORKER_MAP.fallback();
    Set<String> applications =
        values
            .section(DeliveryKeys.WORKER_MAP.path())
            .map(Values::names)
            .orElseGet(workers::keySet);
    if (applications.isEmpty()) {
      values
          .problems()
          .add(
              DeliveryKeys.WORKER_MAP.path(),
              "{}",
              "must name the URL of at least one application");
    }
    KafkaConfig kafka = KafkaSection.read(values, applications);
    return new BrokerConfig(
        values.get(DeliveryKeys.DELIVERY_MODE),
        workers,
        GrpcConfig.read(values),
        kafka,
        IngestConfig.read(values),
        StoreConfig.read(values),
        FetchConfig.read(values),
        PushConfig.read(values),
        StatusUpdateConfig.read(values),
        UpkeepConfig.read(values),
        TelemetryConfig.read(values),
        AdminConfig.read(values),
        TaskStepConfig.read(values, kafka));
  }

  /// Lease of a claim for a push call, after which the activation is requeued (reference-spec 4.7).
  public Duration claimLease() {
    long rounds = ceilDiv(push.queueSize(), push.threads()) + 1L;
    Duration updates =
        push.updateBatched()
            ? Duration.ofSeconds(push.updateBatchLength() + 1L).plus(push.updateInterval())
            : Duration.ofSeconds(rounds);
    return push.queueTimeout()
        .multipliedBy(fetch.batchLength())
        .plus(push.timeout().multipliedBy(rounds))
        .plus(updates);
  }

  /// Most important settings, one per line, without secrets, for the log at start.
  public List<String> summary() {
    return ConfigSummary.lines(this);
  }

  /// The configuration as YAML, with secrets hidden.
  public String effective() {
    return EffectiveConfig.yaml(this);
  }
}
