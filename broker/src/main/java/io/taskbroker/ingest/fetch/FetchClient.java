package io.taskbroker.ingest.fetch;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ClientRequest;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.Metadata;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.clients.RequestCompletionHandler;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.internals.LogContext;

/// Network client of a consumer of one topic. It puts [BoundedRecords] into the fetch responses
/// before the consumer sees them. Its callbacks run in the threads of the consumer, one at a time.
final class FetchClient extends NetworkClient {
  private static final int MAX_IN_FLIGHT = 100; // as the consumer's own

  /// Errors that a consumer handles by itself. Any other error of a partition fails its poll, or is
  /// ignored, again and again.
  private static final Set<Errors> USUAL =
      Set.of(
          Errors.NONE,
          Errors.NOT_LEADER_OR_FOLLOWER,
          Errors.REPLICA_NOT_AVAILABLE,
          Errors.KAFKA_STORAGE_ERROR,
          Errors.FENCED_LEADER_EPOCH,
          Errors.OFFSET_NOT_AVAILABLE,
          Errors.UNKNOWN_TOPIC_OR_PARTITION,
          Errors.UNKNOWN_TOPIC_ID,
          Errors.INCONSISTENT_TOPIC_ID,
          Errors.OFFSET_OUT_OF_RANGE,
          Errors.TOPIC_AUTHORIZATION_FAILED,
          Errors.UNKNOWN_LEADER_EPOCH);

  private final String clientId;
  private final FetchLimits limits;
  private final PollBudget budget;
  private final LogEnds ends;

  /// Offset of the last request for each partition: a request names only changed partitions.
  private final Map<Integer, Long> offsets = new ConcurrentHashMap<>();

  FetchClient(
      ConsumerConfig config,
      Selector selector,
      Metadata metadata,
      ApiVersions versions,
      LogContext context,
      FetchLimits limits,
      PollBudget budget,
      LogEnds ends) {
    super(
        selector,
        metadata,
        config.getString(ConsumerConfig.CLIENT_ID_CONFIG),
        MAX_IN_FLIGHT,
        config.getLong(ConsumerConfig.RECONNECT_BACKOFF_MS_CONFIG),
        config.getLong(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG),
        config.getInt(ConsumerConfig.SEND_BUFFER_CONFIG),
        config.getInt(ConsumerConfig.RECEIVE_BUFFER_CONFIG),
        config.getInt(ConsumerConfig.REQUEST_TIMEOUT_MS_CONFIG),
        config.getLong(ConsumerConfig.SOCKET_CONNECTION_SETUP_TIMEOUT_MS_CONFIG),
        config.getLong(ConsumerConfig.SOCKET_CONNECTION_SETUP_TIMEOUT_MAX_MS_CONFIG),
        Time.SYSTEM,
        true,
        versions,
        context,
        config.getLong(CommonClientConfigs.METADATA_RECOVERY_REBOOTSTRAP_TRIGGER_MS_CONFIG),
        MetadataRecoveryStrategy.forName(
            config.getString(CommonClientConfigs.METADATA_RECOVERY_STRATEGY_CONFIG)),
        ClientUtils.bootstrapConfiguration(
            config, config.getList(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG)),
        config.getBoolean(CommonClientConfigs.METADATA_CLUSTER_CHECK_ENABLE_CONFIG));
    this.clientId = config.getString(ConsumerConfig.CLIENT_ID_CONFIG);
    this.limits = limits;
    this.budget = budget;
    this.ends = ends;
  }

  /// Sends a request, with a wrapped callback if it is a fetch. The callback is replaced only here,
  /// since the consumer recognises its own callbacks of unsent requests.
  @Override
  public void send(ClientRequest request, long now) {
    RequestCompletionHandler callback = request.callback();
    if (!(request.requestBuilder() instanceof FetchRequest.Builder fetch) || callback == null) {
      super.send(request, now);
      return;
    }
    fetch
        .fetchData()
        .forEach((partition, data) -> offsets.put(partition.partition(), data.fetchOffset));
    super.send(
        new ClientRequest(
            request.destination(),
            fetch,
            request.correlationId(),
            clientId,
            request.createdTimeMs(),
            request.expectResponse(),
            request.requestTimeoutMs(),
            response -> {
              bound(response);
              callback.onComplete(response);
            }),
        now);
  }

  private void bound(ClientResponse response) {
    if (response.responseBody() instanceof FetchResponse fetched) {
      fetched.data().responses().forEach(topic -> topic.partitions().forEach(this::bound));
    }
  }

  private void bound(FetchResponseData.PartitionData partition) {
    long offset = offsets.getOrDefault(partition.partitionIndex(), 0L);
    ends.seen(partition.partitionIndex(), partition.lastStableOffset(), partition.highWatermark());
    Errors error = Errors.forCode(partition.errorCode());
    if (!USUAL.contains(error)) {
      partition
          .setErrorCode(Errors.NONE.code())
          .setRecords(
              BoundedRecords.unreadable(
                  "Kafka answered " + error.name() + ": " + error.message(),
                  offset,
                  limits,
                  budget));
    } else if (partition.records() instanceof Records records && records.sizeInBytes() > 0) {
      partition.setRecords(
          BoundedRecords.of(records, offset, partition.highWatermark(), limits, budget));
    }
  }
}
