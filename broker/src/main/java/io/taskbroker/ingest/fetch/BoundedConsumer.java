package io.taskbroker.ingest.fetch;

import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ClientUtils;
import org.apache.kafka.clients.GroupRebalanceConfig;
import org.apache.kafka.clients.KafkaClient;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerPartitionAssignor;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.internals.AbstractFetch;
import org.apache.kafka.clients.consumer.internals.ConsumerMetadata;
import org.apache.kafka.clients.consumer.internals.ConsumerUtils;
import org.apache.kafka.clients.consumer.internals.SubscriptionState;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.internals.ClusterResourceListeners;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.ChannelBuilder;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.common.utils.internals.LogContext;
import org.jspecify.annotations.Nullable;

/// Factory of consumers of one topic whose fetches go through a [FetchClient].
///
/// Kafka's consumer accepts a custom client only in a constructor for its tests. Before it calls
/// any of our code, it allocates a record by the length in front of it. So this class uses
/// internals of kafka-clients ([ADR 11](docs/adr/0011-bounded-fetches.md)). If a version has
/// changed them, this class fails, and so does every test that reads a topic.
public final class BoundedConsumer {
  private static final String METRICS_PREFIX = "consumer";
  private static final Exact EXACT = new Exact();

  private BoundedConsumer() {}

  /// @param settings of a consumer of the classic group protocol
  /// @param connected runs at each new connection, in a thread of the consumer; must not block
  /// @throws KafkaException if the settings are invalid, or addresses cannot be resolved now
  public static Consumer<byte[], byte[]> create(
      Map<String, Object> settings, FetchLimits limits, PollBudget budget, Runnable connected) {
    return create(settings, limits, budget, connected, new LogEnds());
  }

  /// @param ends receives the ends of the logs
  public static Consumer<byte[], byte[]> create(
      Map<String, Object> settings,
      FetchLimits limits,
      PollBudget budget,
      Runnable connected,
      LogEnds ends) {
    var config =
        new ConsumerConfig(ConsumerConfig.appendDeserializerToConfig(settings, EXACT, EXACT));
    var group = new GroupRebalanceConfig(config, GroupRebalanceConfig.ProtocolType.CONSUMER);
    LogContext context = ConsumerUtils.createLogContext(config, group);
    SubscriptionState subscriptions = ConsumerUtils.createSubscriptionState(config, context);
    var metadata =
        new ConsumerMetadata(config, subscriptions, context, new ClusterResourceListeners());
    ClientUtils.maybeBootstrapMetadataSynchronously(
        config, config.getList(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG), metadata);
    List<ConsumerPartitionAssignor> assignors =
        ConsumerPartitionAssignor.getAssignorInstances(
            config.getList(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG),
            config.originals());
    var versions = new SharedVersions(connected);
    var client =
        new FetchClient(
            config,
            selector(config, context, limits),
            metadata,
            versions,
            context,
            limits,
            budget,
            ends);
    try {
      Consumer<byte[], byte[]> consumer =
          construct(
              context,
              Time.SYSTEM,
              config,
              EXACT,
              EXACT,
              client,
              subscriptions,
              metadata,
              assignors);
      versions.share(versionsOf(consumer));
      return consumer;
    } catch (RuntimeException e) {
      Utils.closeQuietly(client, "client");
      throw e;
    }
  }

  private static Selector selector(ConsumerConfig config, LogContext context, FetchLimits limits) {
    ChannelBuilder channels = ClientUtils.createChannelBuilder(config, Time.SYSTEM, context);
    return new Selector(
        limits.maxResponseBytes(),
        config.getLong(ConsumerConfig.CONNECTIONS_MAX_IDLE_MS_CONFIG),
        new Metrics(Time.SYSTEM),
        Time.SYSTEM,
        METRICS_PREFIX,
        Map.of(),
        true,
        channels,
        context);
  }

  @SuppressWarnings("unchecked")
  private static Consumer<byte[], byte[]> construct(Object... arguments) {
    try {
      Constructor<?> constructor =
          KafkaConsumer.class.getDeclaredConstructor(
              LogContext.class,
              Time.class,
              ConsumerConfig.class,
              Deserializer.class,
              Deserializer.class,
              KafkaClient.class,
              SubscriptionState.class,
              ConsumerMetadata.class,
              List.class);
      constructor.setAccessible(true);
      return (Consumer<byte[], byte[]>) constructor.newInstance(arguments);
    } catch (InvocationTargetException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : new KafkaException(e);
    } catch (ReflectiveOperationException e) {
      throw changed(e);
    }
  }

  /// API versions of the nodes as the consumer knows them. By this constructor it never receives
  /// them, and would never check an offset against a new leader.
  private static ApiVersions versionsOf(Consumer<byte[], byte[]> consumer) {
    try {
      Object delegate = read(KafkaConsumer.class, "delegate", consumer);
      Object fetcher = read(delegate.getClass(), "fetcher", delegate);
      return (ApiVersions) read(AbstractFetch.class, "apiVersions", fetcher);
    } catch (ReflectiveOperationException e) {
      throw changed(e);
    }
  }

  private static Object read(Class<?> type, String field, Object from)
      throws ReflectiveOperationException {
    Field found = type.getDeclaredField(field);
    found.setAccessible(true);
    return found.get(from);
  }

  private static IllegalStateException changed(ReflectiveOperationException e) {
    return new IllegalStateException(
        "BoundedConsumer does not support this version of kafka-clients", e);
  }

  /// API versions of the nodes, shared with the consumer. A node announces them on each new
  /// connection.
  private static final class SharedVersions extends ApiVersions {
    private final Runnable connected;
    private @Nullable ApiVersions other;

    SharedVersions(Runnable connected) {
      this.connected = connected;
    }

    synchronized void share(ApiVersions with) {
      other = with;
    }

    @Override
    public synchronized void update(String node, NodeApiVersions can) {
      super.update(node, can);
      connected.run();
      if (other != null) {
        other.update(node, can);
      }
    }

    @Override
    public synchronized void remove(String node) {
      super.remove(node);
      if (other != null) {
        other.remove(node);
      }
    }
  }

  /// Deserializer that returns the value's array without a copy if the value fills it.
  private static final class Exact implements Deserializer<byte[]> {
    @Override
    public byte[] deserialize(String topic, byte[] data) {
      return data;
    }

    @Override
    public byte[] deserialize(String topic, Headers headers, ByteBuffer data) {
      boolean own =
          data.hasArray() && data.arrayOffset() == 0 && data.array().length == data.remaining();
      return own ? data.array() : Utils.toArray(data);
    }
  }
}
