package io.taskbroker.ingest;

import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.api.Command.IngestedRecord;
import io.taskbroker.telemetry.Metrics;
import io.taskbroker.testkit.TaskTemplate;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/// Workload on the real decoder: records like those of the Python client, with 400 bytes of
/// parameters. In this package because the decoder is package-private.
public final class DecoderWorkload {
  private static final int RECORDS = 1_024;
  private static final int PARAMETER_BYTES = 400;
  private static final long MAX_DELAY = 3_600;
  private static final int MAX_SIZE = 5_000_000;
  private static final long NOW = 1_700_000_000_000L;
  private static final SourcePartition PARTITION =
      new SourcePartition("cluster", "group", "topic-uuid", "bench", 0);

  private final ActivationDecoder decoder =
      new ActivationDecoder(
          MAX_DELAY, MAX_SIZE, new TimeWarnings(new TopicCounts("tasks", new Metrics())));
  private final ConsumerRecord<byte[], byte[]>[] records = records();
  private int next;

  @SuppressWarnings({"unchecked", "rawtypes", "NullAway"}) // generic array; null keys
  private static ConsumerRecord<byte[], byte[]>[] records() {
    var template = new TaskTemplate("bench", "bench", "bench.sleep", PARAMETER_BYTES, 42);
    var records = new ConsumerRecord[RECORDS];
    for (int i = 0; i < RECORDS; i++) {
      byte[] value = template.task(i).build().toByteArray();
      records[i] = new ConsumerRecord<byte[], byte[]>("bench", 0, i, null, value);
    }
    return records;
  }

  /// Decodes the next record.
  public IngestedRecord decode() {
    next = (next + 1) % RECORDS;
    return decoder.decode(PARTITION, records[next], NOW);
  }
}
