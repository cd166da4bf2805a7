package io.taskbroker.ingest;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.taskbroker.activation.Activation;
import io.taskbroker.telemetry.Labelled;
import io.taskbroker.telemetry.Metrics;

/// Metrics of reading one topic, under the names of the reference. Thread-safe.
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
  private final GaugeDataPoint blocked;
  private volatile String blockedAt = "";
  private volatile String waitsForTransactions = "";
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
    this.blocked = metrics.stillPartitions.of(topic);
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

  /// Counts a message of a raw topic.
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

  /// Sets the number of a partition's messages that are not stored yet.
  void lag(int partition, long messages) {
    lag.of(topic, Integer.toString(partition)).set((double) messages);
  }

  /// Removes the lag of a partition, as it is unknown now.
  void noLag(int partition) {
    lag.remove(topic, Integer.toString(partition));
  }

  void held(int partitions) {
    held.set(partitions);
  }

  /// Counts a record that was not read because it is too large.
  void oversized() {
    oversized.inc();
  }

  /// Counts a delay that exceeds the maximum.
  void delayCut() {
    delaysCut.inc();
  }

  /// Counts an activation whose publisher's clock is ahead.
  void clockAhead() {
    clocksAhead.inc();
  }

  /// Sets the number of partitions blocked at an unreadable record.
  ///
  /// @param which they are, and where; empty if there are none
  void blocked(int partitions, String which) {
    blocked.set(partitions);
    blockedAt = which;
  }

  /// The partitions that are blocked, and where; empty if there are none. Thread-safe.
  String blockedAt() {
    return blockedAt;
  }

  /// Sets which partitions wait for a transaction, and where; empty if none does.
  void waitsForTransactions(String which) {
    waitsForTransactions = which;
  }

  /// As it was set. Thread-safe.
  String waitsForTransactions() {
    return waitsForTransactions;
  }

  String topic() {
    return topic;
  }

  /// Counts a log that was truncated below what was read of it.
  void logCutOff() {
    logsCutOff.inc();
  }

  /// Counts a store that had lost rows of a partition.
  void storeWentBack() {
    storesWentBack.inc();
  }

  /// Counts a log that had lost the next offset to read.
  void lostOffset() {
    offsetsOutOfRange.inc();
  }

  long lostOffsets() {
    return offsetsOutOfRange.getLongValue();
  }
}
