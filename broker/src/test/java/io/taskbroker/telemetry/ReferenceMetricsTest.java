package io.taskbroker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.telemetry.Declared.Kind;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Dashboards made for the reference keep working: each of its metrics (reference-spec 10.2) is
/// declared under its name, with its kind and tags, or listed as having no counterpart.
final class ReferenceMetricsTest {
  /// Name, kind and tags.
  private static final String REFERENCE =
      """
      grpc.request c path
      grpc.request.duration h path
      grpc_server.get_task.duration h
      grpc_server.received_to_gettask.latency h namespace taskname
      grpc_server.set_status c result status
      grpc_server.set_status.failure c
      grpc_server.set_status.duration h
      grpc_server.fetch_next.duration h
      grpc_server.set_batch_activation_status.total_updates_received c
      grpc_server.set_batch_activation_status.batch_size h status
      grpc_server.set_batch_activation_status.num_batches h
      grpc_server.set_batch_activation_status.retry_updates h
      grpc_server.set_batch_activation_status.affected_diff h status
      grpc_server.set_batch_activation_status.partial h status
      grpc_server.set_batch_activation_status.duration h
      grpc_server.flush_updates c result
      grpc_server.flush_updates.requested h status
      grpc_server.flush_updates.affected h status
      grpc_server.flush_updates.updated c status
      grpc_server.flush_updates.partial c status
      fetch.loop.count c
      fetch.loop.duration h
      fetch.claim_activations_for_push.duration h
      fetch.claim_batch_size h
      fetch.claimed c
      fetch.empty c
      fetch.store_error c
      fetch.submit c result
      push.received_to_claimed.latency h namespace taskname owned_partition
      push.queue.depth g
      push.queue.wait_duration h
      push.queue.latency h
      push.missing_worker_mapping c application
      worker.push_task.attempts c
      worker.push_task.duration h
      worker.push_task c result
      push.undo_claim c result
      push.received_to_push.latency h namespace taskname
      push.thread.update.duration h
      push.thread.update c result
      push.mark_activation_processing c result
      push.updater.flush c reason result
      push.updater.flush.expected h
      push.updater.flush.actual h
      push.updater.queue.depth g
      arroyo.consumer.current_partitions g topic
      arroyo.consumer.partitions_assigned.count c topic
      arroyo.consumer.partitions_revoked.count c topic
      consumer.message.payload_size_bytes h topic namespace taskname
      consumer.raw.payload_size_bytes h topic namespace taskname
      consumer.raw.compressed_payload_size_bytes h topic namespace taskname
      consumer.batch_rows h topic
      consumer.batch_bytes h topic
      consumer.forward_attempts h topic
      consumer.forward_successes h topic
      consumer.forward_failures h topic
      consumer.inflight_activation_writer.backpressure c topic reason
      consumer.inflight_activation_writer.write_to_store h topic
      consumer.inflight_activation_writer.insert_lag h topic
      consumer.inflight_activation_writer.stored c topic
      consumer.inflight_activation_writer.write_failed c topic
      filter.drop_task_killswitch c topic taskname match
      filter.drop_task_killswitch.duration h topic
      filter.expired_at_consumer c topic
      filter.forward_task_demoted_namespace c topic namespace taskname
      filter.forward_task_demoted_namespace.skipped c topic namespace taskname
      store.retry.attempt c method
      store.retry.succeeded c method
      store.retry.exhausted c method
      sqlite.write.acquire_conn h fn mode
      postgres.write.acquire_conn h fn mode
      store.vacuum h database
      store.vacuum.freelist g database
      store.passive_checkpoint_busy g
      store.pages_written_to_wal g
      store.pages_committed_to_db g
      store.checkpoint.failed g
      store.checkpoint.duration h
      sqlite.db.cache_used_bytes g
      sqlite.db.deferred_fks_unresolved g
      upkeep.duration h
      upkeep.handle_retries h
      upkeep.handle_processing_deadline h
      upkeep.handle_claim_expiration h
      upkeep.handle_processing_attempts_exceeded h
      upkeep.handle_expires_at h
      upkeep.handle_delay_until h
      upkeep.handle_failed_tasks h
      upkeep.remove_completed h
      upkeep.remove_killswitched h
      upkeep.forward_task_demoted_namespaces h
      upkeep.full_vacuum h
      upkeep.handle_processing_deadline.skipped c
      upkeep.handle_claim_expiration.skipped c
      upkeep.full_vacuum.failure c error
      upkeep.forward_task_demoted_namespace c namespace taskname
      upkeep.forward_task_demoted_namespace.publish_failure c namespace taskname
      upkeep.task.state_transition c state
      upkeep.cleanup_action c kind
      upkeep.forwarded_tasks c
      upkeep.dlq.message_size h
      upkeep.pending_activation.max_lag.sec g
      upkeep.db_file_size.bytes g
      upkeep.wal_file_size.bytes g
      upkeep.current_pending_tasks g topic partition
      upkeep.current_claimed_tasks g topic partition
      upkeep.current_processing_tasks g topic partition
      upkeep.current_delayed_tasks g topic partition
      upkeep.health c status
      runtime.num_workers g
      runtime.num_alive_tasks g
      runtime.worker_utilization g
      runtime.global_queue_depth g
      runtime.worker_local_queue_depth g
      """;

  private static final Map<String, Declared> DECLARED =
      new Metrics()
          .declared().stream()
              .filter(metric -> metric.channel() != Declared.Channel.PROMETHEUS)
              .collect(Collectors.toMap(Declared::name, Function.identity()));

  private static final Set<String> ABSENT = absent();

  static Stream<String> reference() {
    return REFERENCE.lines();
  }

  @ParameterizedTest
  @MethodSource("reference")
  void isDeclaredLikeTheReferenceOrListedAsAbsent(String line) {
    List<String> words = Arrays.asList(line.split(" ", -1));
    String name = words.getFirst();
    Declared metric = DECLARED.get(name);
    if (metric == null) {
      assertThat(ABSENT.contains(name) || name.startsWith("sqlite.db."))
          .as("%s is neither declared nor listed as absent", name)
          .isTrue();
      return;
    }
    assertThat(ABSENT).as("declared, and listed as absent").doesNotContain(name);
    assertThat(metric.kind()).isEqualTo(kind(words.get(1)));
    assertThat(metric.tags()).isEqualTo(words.subList(2, words.size()));
  }

  private static Kind kind(String letter) {
    return Arrays.stream(Kind.values())
        .filter(kind -> letter.equals(String.valueOf(kind.letter)))
        .findFirst()
        .orElseThrow();
  }

  /// The names in the document; `.x` is a sibling of the preceding name.
  private static Set<String> absent() {
    var names = new HashSet<String>();
    for (Metrics.Absent absent : Metrics.ABSENT) {
      String parent = "";
      for (String name : absent.names().split("[,;] ", -1)) {
        String full = name.startsWith(".") ? parent + name : name;
        parent = full.substring(0, full.lastIndexOf('.'));
        names.add(full);
      }
    }
    return names;
  }
}
