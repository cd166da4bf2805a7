package io.taskbroker.ingest;

import io.taskbroker.activation.StorePosition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Check of a sole broker's store against the offset metadata in Kafka, before any of its tasks is
/// delivered. A restored snapshot lacks transactions that the metadata names, and so does a copy
/// whose original is still in use elsewhere (docs/adr/0012). Blocks.
public final class StoreHistory {
  private static final Logger log = LoggerFactory.getLogger(StoreHistory.class);
  private static final Duration LOOK_AGAIN_AFTER = Duration.ofMillis(200);

  /// A dead member stays listed for a session timeout, and then until Kafka has noticed.
  private static final Duration MARGIN = Duration.ofSeconds(3);

  private final String store;
  private final Predicate<StorePosition> lacks;
  private final Duration patience;

  /// @param store its name
  /// @param lacks whether the store lacks a transaction that it once had
  /// @param patience how long each cluster has for an answer
  public StoreHistory(String store, Predicate<StorePosition> lacks, Duration patience) {
    this.store = store;
    this.lacks = lacks;
    this.patience = patience;
  }

  /// State of a store's history.
  public enum Verdict {
    /// It has everything that the metadata names.
    WHOLE,
    /// A cluster did not answer.
    UNKNOWN,
    /// It lacks something, and no other broker uses a store of its name.
    WENT_BACK,
    /// It lacks something, and another broker uses a store of its name.
    COPY
  }

  /// @param sources the topics that are read into it
  public Verdict verdict(List<TopicSource> sources) {
    boolean unknown = false;
    var clusters = new LinkedHashMap<Map<String, String>, List<TopicSource>>();
    sources.forEach(source ->
        clusters.computeIfAbsent(source.clientProperties(), _ -> new ArrayList<>()).add(source));
    for (List<TopicSource> cluster : clusters.values()) {
      try (Admin admin = Admin.create(settings(cluster.getFirst()))) {
        for (TopicSource source : cluster) {
          if (isLacking(admin, source)) {
            return isInUse(admin, source) ? Verdict.COPY : Verdict.WENT_BACK;
          }
        }
      } catch (ExecutionException | TimeoutException | KafkaException e) {
        log.debug("Cannot read the committed offsets of {}", cluster, e);
        unknown = true;
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        return Verdict.UNKNOWN;
      }
    }
    return unknown ? Verdict.UNKNOWN : Verdict.WHOLE;
  }

  private Map<String, Object> settings(TopicSource source) {
    var settings = new HashMap<>(ClientSettings.admin(source));
    int millis = (int) patience.toMillis();
    settings.put(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
    settings.put(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis);
    return settings;
  }

  private boolean isLacking(Admin admin, TopicSource source)
      throws ExecutionException, InterruptedException, TimeoutException {
    return isLacking(
        store,
        lacks,
        answer(admin.listConsumerGroupOffsets(source.group()).partitionsToOffsetAndMetadata())
            .entrySet()
            .stream()
            .filter(each -> each.getKey().topic().equals(source.topic()) && each.getValue() != null)
            .map(Map.Entry::getValue));
  }

  /// Whether a store lacks a transaction that the metadata of committed offsets names.
  static boolean isLacking(
      String store, Predicate<StorePosition> lacks, Stream<OffsetAndMetadata> committed) {
    return committed
        .map(OffsetAndMetadata::metadata)
        .flatMap(metadata -> OffsetMetadata.of(metadata).stream())
        .filter(metadata -> metadata.store().equals(store))
        .filter(metadata -> !metadata.position().equals(StorePosition.NONE))
        .anyMatch(metadata -> lacks.test(metadata.position()));
  }

  /// Whether a member of that name stays in the group for longer than a dead one does.
  private boolean isInUse(Admin admin, TopicSource source)
      throws ExecutionException, InterruptedException, TimeoutException {
    String name = ClientSettings.memberName(store, source.topic());
    long patienceNanos = source.sessionTimeout().plus(MARGIN).toNanos();
    long begun = System.nanoTime();
    while (isMember(admin, source.group(), name)) {
      if (System.nanoTime() - begun > patienceNanos) {
        return true;
      }
      Thread.sleep(LOOK_AGAIN_AFTER);
    }
    return false;
  }

  private boolean isMember(Admin admin, String group, String name)
      throws ExecutionException, InterruptedException, TimeoutException {
    return answer(
            Objects.requireNonNull(
                admin.describeConsumerGroups(List.of(group)).describedGroups().get(group)))
        .members()
        .stream()
        .map(MemberDescription::groupInstanceId)
        .anyMatch(id -> id.equals(Optional.of(name)));
  }

  private <T> T answer(KafkaFuture<T> future)
      throws ExecutionException, InterruptedException, TimeoutException {
    return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
  }
}
