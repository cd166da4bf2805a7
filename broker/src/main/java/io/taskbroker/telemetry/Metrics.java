package io.taskbroker.telemetry;

import static io.taskbroker.telemetry.Declared.Measure.BYTES;
import static io.taskbroker.telemetry.Declared.Measure.MILLIS;
import static io.taskbroker.telemetry.Declared.Measure.NUMBER;
import static io.taskbroker.telemetry.Declared.Measure.RATIO;
import static io.taskbroker.telemetry.Declared.Measure.SECONDS;

import io.prometheus.metrics.core.datapoints.CounterDataPoint;
import io.prometheus.metrics.core.datapoints.DistributionDataPoint;
import io.prometheus.metrics.core.datapoints.GaugeDataPoint;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import io.taskbroker.telemetry.Declared.Channel;
import java.util.List;

/// Every metric of the broker: each is declared here, and nowhere else, under the name that the
/// reference gave it (reference-spec 10.2), from which that at the Prometheus endpoint follows.
/// `docs/metrics.md` is made from this. Thread-safe.
///
/// Durations are recorded in seconds, whatever the reference sends.
public final class Metrics {
  private static final String[] BY_TASK = {"application", "taskname"};

  private final Declarations declare = new Declarations();

  // The services that workers call.

  public final Labelled<CounterDataPoint> grpcRequests =
      declare.counters("grpc.request", "Calls of gRPC methods", "path");
  public final Labelled<DistributionDataPoint> grpcDuration =
      declare.histograms(
          "grpc.request.duration",
          SECONDS,
          "From a request to its answer, which waits for the disk",
          "path");
  public final DistributionDataPoint getTaskDuration =
      declare.histogram("grpc_server.get_task.duration", SECONDS, "Duration of GetTask");
  public final Labelled<DistributionDataPoint> receivedToGetTask =
      declare.histograms(
          "grpc_server.received_to_gettask.latency",
          MILLIS,
          "From the publishing of a task to its being fetched for the first time",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> setStatus =
      declare.counters(
          "grpc_server.set_status",
          "Reports by SetTaskStatus; result is ok, not_found or error",
          "result",
          "status");
  public final CounterDataPoint setStatusFailure =
      declare.counter(
          "grpc_server.set_status.failure", "Reports of a failure, those in batches included");
  public final DistributionDataPoint setStatusDuration =
      declare.histogram("grpc_server.set_status.duration", SECONDS, "Duration of SetTaskStatus");
  public final DistributionDataPoint fetchNextDuration =
      declare.histogram(
          "grpc_server.fetch_next.duration",
          SECONDS,
          "Duration of the calls of SetTaskStatus that ask for the next task, the report included");
  public final CounterDataPoint batchUpdates =
      declare.counter(
          "grpc_server.set_batch_activation_status.total_updates_received",
          "Reports by SetBatchActivationStatus");
  public final Labelled<DistributionDataPoint> batchSize =
      declare.histograms(
          "grpc_server.set_batch_activation_status.batch_size",
          NUMBER,
          "Reports of a status in a call of SetBatchActivationStatus",
          "status");
  public final Labelled<CounterDataPoint> batchResults =
      declare.counters(
          "grpc_server.set_batch_activation_status.updates",
          "Reports by SetBatchActivationStatus by how their call ended; result is ok or error",
          "result",
          "status");
  public final DistributionDataPoint batchStatuses =
      declare.histogram(
          "grpc_server.set_batch_activation_status.num_batches",
          NUMBER,
          "Different statuses in a call of SetBatchActivationStatus, retries apart");
  public final DistributionDataPoint batchRetries =
      declare.histogram(
          "grpc_server.set_batch_activation_status.retry_updates",
          NUMBER,
          "Retries in a call of SetBatchActivationStatus");
  public final DistributionDataPoint batchDuration =
      declare.histogram(
          "grpc_server.set_batch_activation_status.duration",
          SECONDS,
          "Duration of SetBatchActivationStatus");
  public final Labelled<CounterDataPoint> flushes =
      declare.counters(
          "grpc_server.flush_updates",
          "Transactions that remove rows or make them leave; result is ok or error",
          "result");
  public final Labelled<DistributionDataPoint> flushRequested =
      declare.histograms(
          "grpc_server.flush_updates.requested",
          NUMBER,
          "Rows that a transaction removed (Complete) or made leave (Failure, Retry)",
          "status");
  public final Labelled<CounterDataPoint> flushUpdated =
      declare.counters(
          "grpc_server.flush_updates.updated",
          "Rows that were removed (Complete) or made leave (Failure, Retry)",
          "status");

  public final GaugeDataPoint grpcConnections =
      declare.gauge("grpc_server.connections", NUMBER, "Open connections of the gRPC server");
  public final Labelled<CounterDataPoint> grpcConnectionsRefused =
      declare.counters(
          "grpc_server.connections.refused",
          "Connections that were closed at once; reason is total, peer or rate",
          "reason");
  public final Labelled<CounterDataPoint> grpcConnectionsClosed =
      declare.counters(
          "grpc_server.connections.closed",
          "Connections that were closed for what they did; reason is frames, requests, slow, unread"
              + " or abuse",
          "reason");

  // Push.

  public final CounterDataPoint claimed =
      declare.counter("fetch.claimed", "Tasks that were claimed for a push");
  public final Labelled<CounterDataPoint> submitted =
      declare.counters(
          "fetch.submit",
          "Claimed tasks that were handed to the push loop; result is ok",
          "result");
  public final Labelled<DistributionDataPoint> receivedToClaimed =
      declare.histograms(
          "push.received_to_claimed.latency",
          MILLIS,
          "From the publishing of a task to its claim",
          "namespace",
          "taskname",
          "owned_partition");
  public final GaugeDataPoint pushQueueDepth =
      declare.gauge("push.queue.depth", NUMBER, "Calls of workers that are under way");
  public final DistributionDataPoint pushQueueLatency =
      declare.histogram(
          "push.queue.latency", SECONDS, "From the claim of a task to the moment it is sent");
  public final Labelled<CounterDataPoint> missingWorker =
      declare.counters(
          "push.missing_worker_mapping",
          "Tasks of an application without an entry in worker_map; counted once a minute",
          "application");
  public final CounterDataPoint pushAttempts =
      declare.counter("worker.push_task.attempts", "Calls of workers");
  public final DistributionDataPoint pushDuration =
      declare.histogram("worker.push_task.duration", SECONDS, "Duration of calls of workers");
  public final Labelled<CounterDataPoint> pushes =
      declare.counters(
          "worker.push_task", "Ended calls of workers; result is ok or error", "result");
  public final Labelled<CounterDataPoint> pushOutcomes =
      declare.counters(
          "push.outcome",
          "Calls of workers that ended without the task being taken; outcome is busy, overloaded,"
              + " unreachable, refused, rejected, unanswered or lost",
          "application",
          "outcome");
  public final Labelled<CounterDataPoint> pushConnections =
      declare.counters(
          "push.connections",
          "Connections to workers; event is opened, failed (could not be made), or why one ended:"
              + " aged, closed (by the other side, or without calls), broken, doubtful (another one"
              + " to its address broke), silent (no answer within push.timeout) or gone (its"
              + " address is none of the name any more)",
          "application",
          "event");
  public final Labelled<CounterDataPoint> undoneClaims =
      declare.counters(
          "push.undo_claim",
          "Claims that were taken back because no worker has the task",
          "result");
  public final Labelled<DistributionDataPoint> receivedToPush =
      declare.histograms(
          "push.received_to_push.latency",
          MILLIS,
          "From the publishing of a task to the moment a worker has taken it",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> marked =
      declare.counters(
          "push.mark_activation_processing",
          "Tasks of which it was written down that a worker has them, being still at it when that"
              + " was due; result is ok",
          "result");

  // Kafka in.

  public final Labelled<GaugeDataPoint> currentPartitions =
      declare.gauges(
          "arroyo.consumer.current_partitions", NUMBER, "Partitions that are read", "topic");
  public final Labelled<CounterDataPoint> partitionsAssigned =
      declare.counters(
          "arroyo.consumer.partitions_assigned.count", "Partitions that were given", "topic");
  public final Labelled<CounterDataPoint> partitionsRevoked =
      declare.counters(
          "arroyo.consumer.partitions_revoked.count", "Partitions that were taken away", "topic");
  public final Labelled<CounterDataPoint> logsCutOff =
      declare.counters(
          "consumer.log_cut_off",
          "Partitions whose log was cut off below what was read of it",
          "topic");
  public final Labelled<CounterDataPoint> offsetsOutOfRange =
      declare.counters(
          "consumer.offset_out_of_range",
          "Partitions whose log had lost the offset that was to come next, by retention or a cut",
          "topic");
  public final Labelled<CounterDataPoint> storesWentBack =
      declare.counters(
          "consumer.store_went_back",
          "Partitions of which the store lost what it had: a lost file, a backup, a failover",
          "topic");
  public final Labelled<DistributionDataPoint> payloadSize =
      declare.histograms(
          "consumer.message.payload_size_bytes",
          BYTES,
          "Size of the messages that were read",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> rawPayloadSize =
      declare.histograms(
          "consumer.raw.payload_size_bytes",
          BYTES,
          "Size of the messages of raw topics",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> rawCompressedSize =
      declare.histograms(
          "consumer.raw.compressed_payload_size_bytes",
          BYTES,
          "The same, compressed",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> batchRows =
      declare.histograms(
          "consumer.batch_rows", NUMBER, "Messages of a partition in a poll", "topic");
  public final Labelled<DistributionDataPoint> batchBytes =
      declare.histograms(
          "consumer.batch_bytes", BYTES, "Size of the messages of a partition in a poll", "topic");
  public final Labelled<DistributionDataPoint> forwardAttempts =
      declare.histograms(
          "consumer.forward_attempts", NUMBER, "Tasks that were demoted, each of them 1", "topic");
  public final Labelled<DistributionDataPoint> forwardSuccesses =
      declare.histograms(
          "consumer.forward_successes",
          NUMBER,
          "Demoted tasks that Kafka has, each of them 1",
          "topic");
  public final Labelled<DistributionDataPoint> forwardFailures =
      declare.histograms(
          "consumer.forward_failures",
          NUMBER,
          "Demoted tasks that Kafka will never take, each of them 1",
          "topic");
  public final Labelled<CounterDataPoint> backpressure =
      declare.counters(
          "consumer.inflight_activation_writer.backpressure",
          "Every 250 ms at which a partition is held back; reason is processing_limit,"
              + " db_size_limit, pending_limit, memory_limit or leaving_limit",
          "topic",
          "reason");
  public final Labelled<DistributionDataPoint> writeToStore =
      declare.histograms(
          "consumer.inflight_activation_writer.write_to_store",
          SECONDS,
          "Duration of transactions that store tasks of a topic",
          "topic");
  public final Labelled<DistributionDataPoint> insertLag =
      declare.histograms(
          "consumer.inflight_activation_writer.insert_lag",
          SECONDS,
          "Age of the oldest task that a transaction stored",
          "topic");
  public final Labelled<CounterDataPoint> stored =
      declare.counters(
          "consumer.inflight_activation_writer.stored", "Tasks that were stored", "topic");
  public final Labelled<CounterDataPoint> writeFailed =
      declare.counters(
          "consumer.inflight_activation_writer.write_failed",
          "Transactions that would store tasks and failed",
          "topic");
  public final Labelled<CounterDataPoint> droppedByKillswitch =
      declare.counters(
          "filter.drop_task_killswitch",
          "Messages that a killswitch dropped; match is whole_task or selector",
          "topic",
          "taskname",
          "match");
  public final Labelled<CounterDataPoint> expiredAtConsumer =
      declare.counters(
          "filter.expired_at_consumer", "Messages whose task had expired when they came", "topic");
  public final Labelled<CounterDataPoint> demoted =
      declare.counters(
          "filter.forward_task_demoted_namespace",
          "Messages that were demoted",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> demotionSkipped =
      declare.counters(
          "filter.forward_task_demoted_namespace.skipped",
          "Messages of a demoted namespace that are where it is demoted to",
          "topic",
          "namespace",
          "taskname");

  // Store.

  public final Labelled<CounterDataPoint> storeAttempts =
      declare.counters("store.retry.attempt", "Repeated transactions", "method");
  public final Labelled<CounterDataPoint> storeRecoveries =
      declare.counters(
          "store.retry.succeeded", "Repeated transactions that were committed", "method");
  public final Labelled<DistributionDataPoint> vacuum =
      declare.histograms("store.vacuum", SECONDS, "Duration of the store's upkeep", "database");

  // What became of tasks.

  public final Labelled<CounterDataPoint> transitions =
      declare.counters(
          "upkeep.task.state_transition",
          "Tasks that were completed, failed for good, or left as a retry; completed counts what"
              + " workers completed, and nothing else (W50)",
          "state");
  public final Labelled<CounterDataPoint> cleanups =
      declare.counters(
          "upkeep.cleanup_action",
          "What happened to tasks; kind is publish_deadlettered (acknowledged by Kafka),"
              + " removed_expired, delete_discarded, mark_processing_attempts_exceeded_as_failure,"
              + " claim_expiration_exceeded, processing_deadline_exceeded,"
              + " mark_delay_elapsed_as_pending or, new, removed_killswitched",
          "kind");
  public final CounterDataPoint forwarded =
      declare.counter("upkeep.forwarded_tasks", "Stored tasks that were demoted");
  public final Labelled<CounterDataPoint> forwardedDemoted =
      declare.counters(
          "upkeep.forward_task_demoted_namespace",
          "Stored tasks that were demoted",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> forwardFailed =
      declare.counters(
          "upkeep.forward_task_demoted_namespace.publish_failure",
          "Demoted tasks that Kafka will never take",
          "namespace",
          "taskname");
  public final DistributionDataPoint deadLetterSize =
      declare.histogram("upkeep.dlq.message_size", BYTES, "Size of dead letters");

  // How much there is: to statsd as the reference has it, to Prometheus by task.

  {
    declare.only(Channel.STATSD);
  }

  public final Labelled<GaugeDataPoint> pendingTasks =
      declare.gauges(
          "upkeep.current_pending_tasks", NUMBER, "Tasks that could run", "topic", "partition");
  public final Labelled<GaugeDataPoint> claimedTasks =
      declare.gauges(
          "upkeep.current_claimed_tasks",
          NUMBER,
          "Tasks that are on their way to a worker",
          "topic",
          "partition");
  public final Labelled<GaugeDataPoint> processingTasks =
      declare.gauges(
          "upkeep.current_processing_tasks",
          NUMBER,
          "Tasks that workers have",
          "topic",
          "partition");
  public final Labelled<GaugeDataPoint> delayedTasks =
      declare.gauges(
          "upkeep.current_delayed_tasks",
          NUMBER,
          "Tasks whose time is to come, and those that wait on disk only",
          "topic",
          "partition");

  {
    declare.only(Channel.PROMETHEUS);
  }

  public final Labelled<GaugeDataPoint> pendingByTask =
      declare.gauges("upkeep.current_pending_tasks", NUMBER, "Tasks that could run", BY_TASK);
  public final Labelled<GaugeDataPoint> claimedByTask =
      declare.gauges(
          "upkeep.current_claimed_tasks",
          NUMBER,
          "Tasks that are on their way to a worker",
          BY_TASK);
  public final Labelled<GaugeDataPoint> processingByTask =
      declare.gauges("upkeep.current_processing_tasks", NUMBER, "Tasks that workers have", BY_TASK);
  public final Labelled<GaugeDataPoint> delayedByTask =
      declare.gauges(
          "upkeep.current_delayed_tasks",
          NUMBER,
          "Tasks whose time is to come, but for those on disk only (inflight.parked_tasks)",
          BY_TASK);
  public final Labelled<CounterDataPoint> completedByTask =
      declare.counters("tasks.completed", "Tasks that a worker completed", BY_TASK);
  public final Labelled<CounterDataPoint> failedByTask =
      declare.counters(
          "tasks.failed", "Tasks that failed for good, discarded or dead-lettered", BY_TASK);
  public final Labelled<CounterDataPoint> retriedByTask =
      declare.counters("tasks.retried", "Tasks whose retry Kafka acknowledged", BY_TASK);
  public final Labelled<CounterDataPoint> deadLetteredByTask =
      declare.counters(
          "tasks.dead_lettered",
          "Tasks that Kafka acknowledged as dead letters; messages that are no tasks have neither"
              + " application nor taskname",
          BY_TASK);

  {
    declare.only(Channel.BOTH);
  }

  public final GaugeDataPoint maxLag =
      declare.gauge(
          "upkeep.pending_activation.max_lag.sec",
          SECONDS,
          "Age of the oldest task that could run");
  public final GaugeDataPoint databaseSize =
      declare.gauge("upkeep.db_file_size.bytes", BYTES, "Size of the database's file");
  public final GaugeDataPoint walSize =
      declare.gauge("upkeep.wal_file_size.bytes", BYTES, "Size of the database's -wal file");
  public final Labelled<CounterDataPoint> health =
      declare.counters(
          "upkeep.health",
          "Looks at the readiness; status is healthy, unhealthy or killswitched",
          "status");

  // The process.

  public final GaugeDataPoint workers =
      declare.gauge("runtime.num_workers", NUMBER, "Processors that the process may use");
  public final GaugeDataPoint aliveTasks =
      declare.gauge("runtime.num_alive_tasks", NUMBER, "Threads that live");
  public final GaugeDataPoint utilization =
      declare.gauge("runtime.worker_utilization", RATIO, "Share of the processors that is used");
  public final GaugeDataPoint globalQueueDepth =
      declare.gauge("runtime.global_queue_depth", NUMBER, "Commands that wait for the engine");
  public final GaugeDataPoint localQueueDepth =
      declare.gauge("runtime.worker_local_queue_depth", NUMBER, "Changes that wait for the disk");

  // What the reference does not have.

  public final Labelled<GaugeDataPoint> build =
      declare.gauges("build_info", NUMBER, "1, and in its tags what runs", "version", "commit");
  public final Labelled<GaugeDataPoint> lag =
      declare.gauges(
          "consumer.lag.messages",
          NUMBER,
          "Messages of a partition that are not stored yet: the end of its log, as the consumer"
              + " knows it, less where the watermark is",
          "topic",
          "partition");

  public final Labelled<CounterDataPoint> notices =
      declare.counters(
          "inflight.events",
          "What the engine tells operators; see io.taskbroker.inflight.Notice",
          "event");
  public final Labelled<CounterDataPoint> oversizedRecords =
      declare.counters(
          "consumer.oversized_records",
          "Records that were not read because they are too large, and became dead letters",
          "topic");
  public final Labelled<CounterDataPoint> delaysCut =
      declare.counters(
          "consumer.delays_cut",
          "Tasks whose delay was cut to max_delayed_task_allowed_sec",
          "topic");
  public final Labelled<CounterDataPoint> clocksAhead =
      declare.counters(
          "consumer.clocks_ahead",
          "Tasks whose publisher's clock was more than a minute ahead: delay and expiry counted"
              + " from when they were read",
          "topic");
  public final Labelled<GaugeDataPoint> stillPartitions =
      declare.gauges(
          "consumer.unreadable_partitions",
          NUMBER,
          "Partitions that stand still because a record cannot be read",
          "topic");
  public final GaugeDataPoint leavingTasks =
      declare.gauge("inflight.leaving_tasks", NUMBER, "Tasks that wait for Kafka to take them");
  public final GaugeDataPoint quarantinedTasks =
      declare.gauge(
          "inflight.quarantined_tasks",
          NUMBER,
          "Tasks that cannot be produced, because Kafka refuses them or their topic is not in"
              + " kafka_topics; they are tried again once a minute (taskbroker quarantine)");
  public final Labelled<GaugeDataPoint> quarantinedByTopic =
      declare.gauges(
          "inflight.quarantined_tasks_by_topic",
          NUMBER,
          "The same for each topic that they are for",
          "topic");
  public final Labelled<GaugeDataPoint> targetTopics =
      declare.gauges(
          "outbox.topic_state",
          NUMBER,
          "1 for what holds of a topic that retries or dead letters are produced to: ok, missing,"
              + " created_on_use, too_small (max.message.bytes), compacted, unknown",
          "topic",
          "state");
  public final GaugeDataPoint parkedTasks =
      declare.gauge("inflight.parked_tasks", NUMBER, "Tasks that are on disk only");
  public final GaugeDataPoint memoryBytes =
      declare.gauge("inflight.memory.bytes", BYTES, "Memory of tasks, their payloads and all else");
  public final DistributionDataPoint commitDuration =
      declare.histogram("store.commit.duration", SECONDS, "Duration of transactions");
  public final CounterDataPoint storesSetAside =
      declare.counter(
          "store.set_aside", "Damaged databases that were set aside and replaced at a start");
  public final DistributionDataPoint commitChanges =
      declare.histogram("store.commit.changes", NUMBER, "Changes in a transaction");
  public final GaugeDataPoint heapUsed =
      declare.gauge("jvm.heap_used.bytes", BYTES, "Memory in use of the Java heap");
  public final CounterDataPoint collections =
      declare.counter("jvm.gc.collections", "Garbage collections");
  public final CounterDataPoint collectionSeconds =
      declare.counter("jvm.gc.seconds", "Time spent in garbage collections, in seconds");

  public final Labelled<CounterDataPoint> droppedTelemetry =
      declare.counters(
          "telemetry.dropped",
          "What its receiver did not take: lines of the log, reports to Sentry, datagrams to"
              + " statsd; channel is log, sentry or statsd",
          "channel");

  /// What the registry holds now.
  MetricSnapshots scrape() {
    return declare.registry.scrape();
  }

  /// All metrics, in the order of their declaration.
  List<Declared> declared() {
    return List.copyOf(declare.all);
  }

  /// What the reference has and this broker has no use for.
  ///
  /// @param names of its metrics
  /// @param why in one line
  record Absent(String names, String why) {}

  static final List<Absent> ABSENT =
      List.of(
          new Absent(
              "grpc_server.set_batch_activation_status.affected_diff, .partial;"
                  + " grpc_server.flush_updates.affected, .partial",
              "The engine knows what a report is about before anything is written; reports about"
                  + " nothing are inflight.events{event=unknown_id}"),
          new Absent(
              "fetch.loop.count, fetch.loop.duration, fetch.claim_activations_for_push.duration,"
                  + " fetch.claim_batch_size, fetch.empty, fetch.store_error",
              "Nothing polls the store for work: a task is claimed when a worker has room"),
          new Absent(
              "filter.drop_task_killswitch.duration",
              "The rules are looked at once for each message, by name first; nothing waits for it"),
          new Absent(
              "push.queue.wait_duration",
              "Nothing waits for a place in the queue: the engine claims when there is one"),
          new Absent(
              "push.thread.update, push.thread.update.duration, push.updater.flush,"
                  + " push.updater.flush.expected, push.updater.flush.actual,"
                  + " push.updater.queue.depth",
              "Marks are part of the next transaction; see store.commit.duration and"
                  + " push.mark_activation_processing"),
          new Absent(
              "store.retry.exhausted", "A transaction is repeated until it is committed (G1, G2)"),
          new Absent(
              "sqlite.write.acquire_conn, postgres.write.acquire_conn",
              "One connection writes, and its thread owns it"),
          new Absent(
              "store.vacuum.freelist, store.passive_checkpoint_busy, store.pages_written_to_wal,"
                  + " store.pages_committed_to_db, store.checkpoint.failed,"
                  + " store.checkpoint.duration, sqlite.db.*",
              "SQLite checkpoints by itself; see upkeep.wal_file_size.bytes"),
          new Absent(
              "upkeep.duration, upkeep.handle_retries, .handle_processing_deadline,"
                  + " .handle_claim_expiration, .handle_processing_attempts_exceeded,"
                  + " .handle_expires_at, .handle_delay_until, .handle_failed_tasks,"
                  + " .remove_completed, .remove_killswitched, .forward_task_demoted_namespaces",
              "There are no rounds of upkeep: each of these happens to a task when it is due"),
          new Absent(
              "upkeep.handle_processing_deadline.skipped, upkeep.handle_claim_expiration.skipped",
              "Deadlines of before a restart are moved once instead of being skipped"),
          new Absent(
              "upkeep.full_vacuum, upkeep.full_vacuum.failure",
              "The file is kept small page by page; see store.vacuum"));
}
