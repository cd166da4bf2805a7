package io.taskbroker.ingest;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.taskbroker.activation.Activation;
import io.taskbroker.telemetry.Labelled;
import io.taskbroker.telemetry.Metrics;

/// What is read of one topic, in the metrics of the reference. Thread-safe.
final class TopicCounts {
  private final String topic;
  private final Labelled<DistributionDataPoint> payloads;
  private final Labelled<DistributionDataPoint> rawPayloads;
  private final Labelled<DistributionDataPoint> rawCompressed;
  private final DistributionDataPoint rows;
  private final DistributionDataPoint bytes;
  private final GaugeDataPoint held;
  private final CounterDataPoint assigned;
  private final CounterDataPoint revoked;
  private final CounterDataPoint oversized;
  private final GaugeDataPoint still;
  private final CounterDataPoint offsetsOutOfRange;
  private final CounterDataPoint logsCutOff;
  private final CounterDataPoint storesWentBack;
  private final Labelled<GaugeDataPoint> lag;
  private final CounterDataPoint delaysCut;
  private final CounterDataPoint clocksAhead;

  TopicCounts(String topic, Metrics metrics) {
    this.topic = topic;
    this.lag = metrics.lag;
    this.payloads = metrics.payloadSize;
    this.rawPayloads = metrics.rawPayloadSize;
    this.rawCompressed = metrics.rawCompressedSize;
    this.rows = metrics.batchRows.of(topic);
    this.bytes = metrics.batchBytes.of(topic);
    this.held = metrics.currentPartitions.of(topic);
    this.assigned = metrics.partitionsAssigned.of(topic);
    this.revoked = metrics.partitionsRevoked.of(topic);
    this.oversized = metrics.oversizedRecords.of(topic);
    this.still = metrics.stillPartitions.of(topic);
    this.offsetsOutOfRange = metrics.offsetsOutOfRange.of(topic);
    this.logsCutOff = metrics.logsCutOff.of(topic);
    this.storesWentBack = metrics.storesWentBack.of(topic);
    this.delaysCut = metrics.delaysCut.of(topic);
    this.clocksAhead = metrics.clocksAhead.of(topic);
  }

  void message(Activation activation) {
    payloads
        .of(topic, activation.namespace(), activation.taskname())
        .observe(activation.payload().length);
  }

  /// A message of a raw topic.
  void raw(RawTask task, int value, int parameters) {
    rawPayloads.of(topic, task.namespace(), task.taskname()).observe(value);
    rawCompressed.of(topic, task.namespace(), task.taskname()).observe(parameters);
  }

  void handedOver(int messages, long size) {
    if (messages > 0) {
      rows.observe(messages);
      bytes.observe((double) size);
    }
  }

  void assigned(int partitions) {
    assigned.inc(partitions);
  }

  void revoked(int partitions) {
    revoked.inc(partitions);
  }

  /// How many messages of a partition are not stored yet.
  void lag(int partition, long messages) {
    lag.of(topic, Integer.toString(partition)).set((double) messages);
  }

  /// Nothing is known of a partition any more.
  void noLag(int partition) {
    lag.remove(topic, Integer.toString(partition));
  }

  void held(int partitions) {
    held.set(partitions);
  }

  /// A record was not read because it is too large.
  void oversized() {
    oversized.inc();
  }

  /// A delay was longer than it may be.
  void delayCut() {
    delaysCut.inc();
  }

  /// An activation came before it was received, by its publisher's clock.
  void clockAhead() {
    clocksAhead.inc();
  }

  /// So many partitions stand still because a record cannot be read.
  void still(int partitions) {
    still.set(partitions);
  }

  /// The log of a partition was cut off below what was read of it.
  void logCutOff() {
    logsCutOff.inc();
  }

  /// The store had lost what it had of a partition.
  void storeWentBack() {
    storesWentBack.inc();
  }

  /// The log of a partition had lost the offset that was to be read next.
  void lostOffset() {
    offsetsOutOfRange.inc();
  }

  long lostOffsets() {
    return offsetsOutOfRange.getLongValue();
  }
}
