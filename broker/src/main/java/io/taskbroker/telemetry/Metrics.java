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
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// All metrics of the broker. Each is declared here and nowhere else, under its name in the
/// reference (reference-spec 10.2), from which the Prometheus name is derived. `docs/metrics.md` is
/// generated from this class. Thread-safe.
///
/// Durations are recorded in seconds, whatever unit the reference sends.
public final class Metrics extends DeclaredMetrics {
  private static final String[] BY_TASK = {"application", "taskname"};

  /// Metrics without exemplars.
  public Metrics() {
    this(false);
  }

  /// @param exemplars whether latencies keep traces of tasks as exemplars
  public Metrics(boolean exemplars) {
    super(exemplars);
  }

  // gRPC services for workers.

  public final Labelled<CounterDataPoint> grpcRequests =
      declare.counters("grpc.request", "Calls of gRPC methods", "path");
  public final Labelled<DistributionDataPoint> grpcDuration =
      declare.histograms(
          "grpc.request.duration",
          SECONDS,
          "Time from a request to its reply, including the wait for the commit",
          "path");
  public final DistributionDataPoint getTaskDuration =
      declare.histogram("grpc_server.get_task.duration", SECONDS, "Duration of GetTask");
  public final Labelled<DistributionDataPoint> receivedToGetTask =
      declare.tracedHistograms(
          "grpc_server.received_to_gettask.latency",
          MILLIS,
          "Time from publication of a task to its first fetch",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> setStatus =
      declare.counters(
          "grpc_server.set_status",
          "Reports through SetTaskStatus; result is ok, not_found or error",
          "result",
          "status");
  public final CounterDataPoint setStatusFailure =
      declare.counter(
          "grpc_server.set_status.failure", "Failure reports, including those in batches");
  public final DistributionDataPoint setStatusDuration =
      declare.histogram("grpc_server.set_status.duration", SECONDS, "Duration of SetTaskStatus");
  public final DistributionDataPoint fetchNextDuration =
      declare.histogram(
          "grpc_server.fetch_next.duration",
          SECONDS,
          "Duration of SetTaskStatus calls that fetch the next task, including the report");
  public final CounterDataPoint batchUpdates =
      declare.counter(
          "grpc_server.set_batch_activation_status.total_updates_received",
          "Reports through SetBatchActivationStatus");
  public final Labelled<DistributionDataPoint> batchSize =
      declare.histograms(
          "grpc_server.set_batch_activation_status.batch_size",
          NUMBER,
          "Reports per status in a SetBatchActivationStatus call",
          "status");
  public final Labelled<CounterDataPoint> batchResults =
      declare.counters(
          "grpc_server.set_batch_activation_status.updates",
          "Reports through SetBatchActivationStatus by result of the call: ok or error",
          "result",
          "status");
  public final DistributionDataPoint batchStatuses =
      declare.histogram(
          "grpc_server.set_batch_activation_status.num_batches",
          NUMBER,
          "Distinct statuses in a SetBatchActivationStatus call, excluding retries");
  public final DistributionDataPoint batchRetries =
      declare.histogram(
          "grpc_server.set_batch_activation_status.retry_updates",
          NUMBER,
          "Retries in a SetBatchActivationStatus call");
  public final DistributionDataPoint batchDuration =
      declare.histogram(
          "grpc_server.set_batch_activation_status.duration",
          SECONDS,
          "Duration of SetBatchActivationStatus");
  public final Labelled<CounterDataPoint> flushes =
      declare.counters(
          "grpc_server.flush_updates",
          "Transactions that delete or forward rows; result is ok or error",
          "result");
  public final Labelled<DistributionDataPoint> flushRequested =
      declare.histograms(
          "grpc_server.flush_updates.requested",
          NUMBER,
          "Rows that a transaction deleted (Complete) or forwarded (Failure, Retry)",
          "status");
  public final Labelled<CounterDataPoint> flushUpdated =
      declare.counters(
          "grpc_server.flush_updates.updated",
          "Rows that were deleted (Complete) or forwarded (Failure, Retry)",
          "status");

  public final GaugeDataPoint workerStreams =
      declare.gauge("worker.streams", NUMBER, "Open streams of workers");
  public final Labelled<CounterDataPoint> enqueued =
      declare.counters(
          "enqueue.tasks",
          "Tasks that clients enqueued directly; result is accepted, already_exists or rejected",
          "result");

  public final Labelled<CounterDataPoint> scheduleSlots =
      declare.counters(
          "schedule.slots",
          "Slots of schedules that were due; outcome is enqueued, superseded (another broker was"
              + " first), skipped (missed), full (tried again), switched_off, already_exists or"
              + " rejected",
          "outcome");
  public final DistributionDataPoint scheduleDelay =
      declare.histogram(
          "schedule.delay", SECONDS, "Time from when a slot is due until its task is durable");

  public final GaugeDataPoint grpcConnections =
      declare.gauge("grpc_server.connections", NUMBER, "Open connections of the gRPC server");
  public final Labelled<CounterDataPoint> grpcConnectionsRefused =
      declare.counters(
          "grpc_server.connections.refused",
          "Connections refused at a limit; reason is total, peer or rate",
          "reason");
  public final Labelled<CounterDataPoint> grpcConnectionsClosed =
      declare.counters(
          "grpc_server.connections.closed",
          "Connections closed for misbehaviour; reason is frames, requests, slow, unread"
              + " or abuse",
          "reason");

  // Push.

  public final CounterDataPoint claimed =
      declare.counter("fetch.claimed", "Tasks claimed for a push");
  public final Labelled<CounterDataPoint> submitted =
      declare.counters(
          "fetch.submit", "Claimed tasks passed to the push loop; result is ok", "result");
  public final Labelled<DistributionDataPoint> receivedToClaimed =
      declare.tracedHistograms(
          "push.received_to_claimed.latency",
          MILLIS,
          "Time from publication of a task to its claim",
          "namespace",
          "taskname",
          "owned_partition");
  public final GaugeDataPoint pushQueueDepth =
      declare.gauge("push.queue.depth", NUMBER, "Push calls in flight");
  public final DistributionDataPoint pushQueueLatency =
      declare.histogram("push.queue.latency", SECONDS, "Time from the claim of a task to the send");
  public final Labelled<CounterDataPoint> missingWorker =
      declare.counters(
          "push.missing_worker_mapping",
          "Tasks of an application that is missing in worker_map; counted once a minute",
          "application");
  public final CounterDataPoint pushAttempts =
      declare.counter("worker.push_task.attempts", "Push calls");
  public final DistributionDataPoint pushDuration =
      declare.histogram("worker.push_task.duration", SECONDS, "Duration of push calls");
  public final Labelled<CounterDataPoint> pushes =
      declare.counters("worker.push_task", "Finished push calls; result is ok or error", "result");
  public final Labelled<CounterDataPoint> pushOutcomes =
      declare.counters(
          "push.outcome",
          "Push calls in which no worker accepted the task; outcome is busy, overloaded,"
              + " unreachable, refused, rejected, unanswered or lost",
          "application",
          "outcome");
  public final Labelled<CounterDataPoint> pushConnections =
      declare.counters(
          "push.connections",
          "Connections to workers; event is opened, failed (could not connect), or why one ended:"
              + " aged, closed (by the peer, or idle), broken, doubtful (another connection to its"
              + " address broke), silent (no reply within push.timeout) or gone (the name no longer"
              + " resolves to its address)",
          "application",
          "event");
  public final Labelled<CounterDataPoint> undoneClaims =
      declare.counters(
          "push.undo_claim", "Claims released because no worker has the task", "result");
  public final Labelled<DistributionDataPoint> receivedToPush =
      declare.tracedHistograms(
          "push.received_to_push.latency",
          MILLIS,
          "Time from publication of a task to its acceptance by a worker",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> marked =
      declare.counters(
          "push.mark_activation_processing",
          "Tasks stored as Processing, still with their worker when the update was due;"
              + " result is ok",
          "result");

  // Ingest.

  public final Labelled<GaugeDataPoint> currentPartitions =
      declare.gauges("arroyo.consumer.current_partitions", NUMBER, "Assigned partitions", "topic");
  public final Labelled<CounterDataPoint> partitionsAssigned =
      declare.counters("arroyo.consumer.partitions_assigned.count", "Partitions assigned", "topic");
  public final Labelled<CounterDataPoint> partitionsRevoked =
      declare.counters("arroyo.consumer.partitions_revoked.count", "Partitions revoked", "topic");
  public final Labelled<CounterDataPoint> logsCutOff =
      declare.counters(
          "consumer.log_cut_off",
          "Partitions whose log was truncated below the position already read",
          "topic");
  public final Labelled<CounterDataPoint> offsetsOutOfRange =
      declare.counters(
          "consumer.offset_out_of_range",
          "Partitions whose next offset is no longer in the log, through retention or truncation",
          "topic");
  public final Labelled<CounterDataPoint> storesWentBack =
      declare.counters(
          "consumer.store_went_back",
          "Partitions whose stored rows were lost: a lost file, a restored backup, a failover",
          "topic");
  public final Labelled<DistributionDataPoint> payloadSize =
      declare.histograms(
          "consumer.message.payload_size_bytes",
          BYTES,
          "Size of messages read",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> rawPayloadSize =
      declare.histograms(
          "consumer.raw.payload_size_bytes",
          BYTES,
          "Size of messages of raw topics",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> rawCompressedSize =
      declare.histograms(
          "consumer.raw.compressed_payload_size_bytes",
          BYTES,
          "Compressed size of messages of raw topics",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<DistributionDataPoint> batchRows =
      declare.histograms(
          "consumer.batch_rows", NUMBER, "Messages per partition in a poll", "topic");
  public final Labelled<DistributionDataPoint> batchBytes =
      declare.histograms(
          "consumer.batch_bytes", BYTES, "Bytes of messages per partition in a poll", "topic");
  public final Labelled<DistributionDataPoint> forwardAttempts =
      declare.histograms(
          "consumer.forward_attempts", NUMBER, "Demoted tasks; each records 1", "topic");
  public final Labelled<DistributionDataPoint> forwardSuccesses =
      declare.histograms(
          "consumer.forward_successes",
          NUMBER,
          "Demoted tasks acknowledged by Kafka; each records 1",
          "topic");
  public final Labelled<DistributionDataPoint> forwardFailures =
      declare.histograms(
          "consumer.forward_failures",
          NUMBER,
          "Demoted tasks refused by Kafka for good; each records 1",
          "topic");
  public final Labelled<CounterDataPoint> backpressure =
      declare.counters(
          "consumer.inflight_activation_writer.backpressure",
          "Counted every 250 ms while a partition is paused; reason is processing_limit,"
              + " db_size_limit, pending_limit, memory_limit or forwarding_limit",
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
          "Age of the oldest task in a transaction",
          "topic");
  public final Labelled<CounterDataPoint> stored =
      declare.counters("consumer.inflight_activation_writer.stored", "Tasks stored", "topic");
  public final Labelled<CounterDataPoint> writeFailed =
      declare.counters(
          "consumer.inflight_activation_writer.write_failed",
          "Failed transactions that contained new tasks",
          "topic");
  public final Labelled<CounterDataPoint> droppedByKillswitch =
      declare.counters(
          "filter.drop_task_killswitch",
          "Messages dropped by a killswitch; match is whole_task or selector",
          "topic",
          "taskname",
          "match");
  public final Labelled<CounterDataPoint> expiredAtConsumer =
      declare.counters(
          "filter.expired_at_consumer", "Messages whose task had expired on arrival", "topic");
  public final Labelled<CounterDataPoint> demoted =
      declare.counters(
          "filter.forward_task_demoted_namespace",
          "Messages demoted",
          "topic",
          "namespace",
          "taskname");
  public final Labelled<CounterDataPoint> demotionSkipped =
      declare.counters(
          "filter.forward_task_demoted_namespace.skipped",
          "Messages of a demoted namespace read from the topic that it is demoted to",
          "topic",
          "namespace",
          "taskname");

  // Store.

  public final Labelled<CounterDataPoint> storeAttempts =
      declare.counters("store.retry.attempt", "Transaction retries", "method");
  public final Labelled<CounterDataPoint> storeRecoveries =
      declare.counters(
          "store.retry.succeeded", "Retried transactions that were committed", "method");
  public final Labelled<DistributionDataPoint> vacuum =
      declare.histograms(
          "store.vacuum", SECONDS, "Duration of the store's maintenance", "database");

  // Outcomes of tasks.

  public final Labelled<CounterDataPoint> transitions =
      declare.counters(
          "upkeep.task.state_transition",
          "Tasks completed, failed for good or retried; completed counts only completions"
              + " by workers (W50)",
          "state");
  public final Labelled<CounterDataPoint> cleanups =
      declare.counters(
          "upkeep.cleanup_action",
          "Events in the life of tasks; kind is publish_deadlettered (acknowledged by Kafka),"
              + " removed_expired, delete_discarded, mark_processing_attempts_exceeded_as_failure,"
              + " claim_expiration_exceeded, processing_deadline_exceeded,"
              + " mark_delay_elapsed_as_pending or, new, removed_killswitched",
          "kind");
  public final CounterDataPoint forwarded =
      declare.counter("upkeep.forwarded_tasks", "Stored tasks demoted");
  public final Labelled<CounterDataPoint> forwardedDemoted =
      declare.counters(
          "upkeep.forward_task_demoted_namespace", "Stored tasks demoted", "namespace", "taskname");
  public final Labelled<CounterDataPoint> forwardFailed =
      declare.counters(
          "upkeep.forward_task_demoted_namespace.publish_failure",
          "Demoted tasks refused by Kafka for good",
          "namespace",
          "taskname");
  public final DistributionDataPoint deadLetterSize =
      declare.histogram("upkeep.dlq.message_size", BYTES, "Size of dead letters");

  // Current tasks: by topic and partition for statsd, as in the reference; by task for Prometheus.

  {
    declare.restrictTo(Channel.STATSD);
  }

  public final Labelled<GaugeDataPoint> pendingTasks =
      declare.gauges(
          "upkeep.current_pending_tasks", NUMBER, "Tasks ready to run", "topic", "partition");
  public final Labelled<GaugeDataPoint> claimedTasks =
      declare.gauges(
          "upkeep.current_claimed_tasks",
          NUMBER,
          "Tasks claimed for delivery to a worker",
          "topic",
          "partition");
  public final Labelled<GaugeDataPoint> processingTasks =
      declare.gauges(
          "upkeep.current_processing_tasks",
          NUMBER,
          "Tasks being processed by workers",
          "topic",
          "partition");
  public final Labelled<GaugeDataPoint> delayedTasks =
      declare.gauges(
          "upkeep.current_delayed_tasks",
          NUMBER,
          "Tasks with a pending delay, and parked tasks",
          "topic",
          "partition");

  {
    declare.restrictTo(Channel.PROMETHEUS);
  }

  public final Labelled<GaugeDataPoint> pendingByTask =
      declare.gauges("upkeep.current_pending_tasks", NUMBER, "Tasks ready to run", BY_TASK);
  public final Labelled<GaugeDataPoint> claimedByTask =
      declare.gauges(
          "upkeep.current_claimed_tasks",
          NUMBER,
          "Tasks claimed for delivery to a worker",
          BY_TASK);
  public final Labelled<GaugeDataPoint> processingByTask =
      declare.gauges(
          "upkeep.current_processing_tasks", NUMBER, "Tasks being processed by workers", BY_TASK);
  public final Labelled<GaugeDataPoint> delayedByTask =
      declare.gauges(
          "upkeep.current_delayed_tasks",
          NUMBER,
          "Tasks with a pending delay, excluding parked tasks (inflight.parked_tasks)",
          BY_TASK);
  public final Labelled<CounterDataPoint> completedByTask =
      declare.counters("tasks.completed", "Tasks completed by a worker", BY_TASK);
  public final Labelled<CounterDataPoint> failedByTask =
      declare.counters(
          "tasks.failed", "Tasks failed for good: discarded or dead-lettered", BY_TASK);
  public final Labelled<CounterDataPoint> retriedByTask =
      declare.counters("tasks.retried", "Tasks whose retry Kafka acknowledged", BY_TASK);
  public final Labelled<CounterDataPoint> deadLetteredByTask =
      declare.counters(
          "tasks.dead_lettered",
          "Dead letters acknowledged by Kafka; messages that are not tasks have neither"
              + " application nor taskname",
          BY_TASK);

  {
    declare.restrictTo(Channel.BOTH);
  }

  public final GaugeDataPoint maxLag =
      declare.gauge(
          "upkeep.pending_activation.max_lag.sec",
          SECONDS,
          "Age of the oldest task that is ready to run");
  public final GaugeDataPoint databaseSize =
      declare.gauge("upkeep.db_file_size.bytes", BYTES, "Size of the database file");
  public final GaugeDataPoint walSize =
      declare.gauge(
          "upkeep.wal_file_size.bytes", BYTES, "Size of the database's write-ahead log file");
  public final Labelled<CounterDataPoint> health =
      declare.counters(
          "upkeep.health",
          "Readiness checks; status is healthy, unhealthy or killswitched",
          "status");

  // The process.

  public final GaugeDataPoint workers =
      declare.gauge("runtime.num_workers", NUMBER, "Processors available to the process");
  public final GaugeDataPoint aliveTasks =
      declare.gauge("runtime.num_alive_tasks", NUMBER, "Live threads");
  public final GaugeDataPoint utilization =
      declare.gauge("runtime.worker_utilization", RATIO, "Share of the processors in use");
  public final GaugeDataPoint globalQueueDepth =
      declare.gauge("runtime.global_queue_depth", NUMBER, "Commands queued for the engine");
  public final GaugeDataPoint localQueueDepth =
      declare.gauge("runtime.worker_local_queue_depth", NUMBER, "Changes queued for commit");

  // Metrics without a counterpart in the reference.

  public final Labelled<GaugeDataPoint> build =
      declare.gauges(
          "build_info", NUMBER, "Always 1; the tags identify the build", "version", "commit");
  public final Labelled<GaugeDataPoint> lag =
      declare.gauges(
          "consumer.lag.messages",
          NUMBER,
          "Messages of a partition that are not stored yet: log end offset known to the consumer"
              + " minus the watermark; those of open transactions are included",
          "topic",
          "partition");

  public final Labelled<CounterDataPoint> events =
      declare.counters("inflight.events", "Events that the engine logs; see EngineEvent", "event");
  public final Labelled<CounterDataPoint> unexpectedOutcomes =
      declare.counters(
          "store.unexpected_outcomes",
          "Changes that the store answered as they cannot be: the key of an insert existed, the row"
              + " of a change did not, or a store of one broker was fenced",
          "change",
          "outcome");
  public final Labelled<CounterDataPoint> oversizedRecords =
      declare.counters(
          "consumer.oversized_records",
          "Records too large to read; they become dead letters",
          "topic");
  public final Labelled<CounterDataPoint> delaysCut =
      declare.counters(
          "consumer.delays_cut",
          "Tasks whose delay was clamped to max_delayed_task_allowed_sec",
          "topic");
  public final Labelled<CounterDataPoint> clocksAhead =
      declare.counters(
          "consumer.clocks_ahead",
          "Tasks whose publisher's clock was more than a minute ahead: delay and expiry count"
              + " from the time of reading",
          "topic");
  public final Labelled<GaugeDataPoint> stillPartitions =
      declare.gauges(
          "consumer.unreadable_partitions",
          NUMBER,
          "Partitions blocked by a record that cannot be read",
          "topic");
  public final GaugeDataPoint leavingTasks =
      declare.gauge(
          "inflight.forwarding_tasks", NUMBER, "Tasks waiting for acknowledgement by Kafka");
  public final GaugeDataPoint quarantinedTasks =
      declare.gauge(
          "inflight.quarantined_tasks",
          NUMBER,
          "Tasks that cannot be produced because Kafka refuses them or their topic is not in"
              + " kafka_topics; retried once a minute (taskbroker quarantine)");
  public final Labelled<GaugeDataPoint> quarantinedByTopic =
      declare.gauges(
          "inflight.quarantined_tasks_by_topic",
          NUMBER,
          "Quarantined tasks by target topic",
          "topic");
  public final Labelled<GaugeDataPoint> targetTopics =
      declare.gauges(
          "outbox.topic_state",
          NUMBER,
          "1 for the current state of a topic for retries or dead letters: ok, missing,"
              + " created_on_use, too_small (max.message.bytes), compacted, unknown",
          "topic",
          "state");
  public final GaugeDataPoint parkedTasks =
      declare.gauge("inflight.parked_tasks", NUMBER, "Tasks on disk only");
  public final GaugeDataPoint memoryBytes =
      declare.gauge("inflight.memory.bytes", BYTES, "Memory of tasks, including payloads");
  public final DistributionDataPoint commitDuration =
      declare.histogram("store.commit.duration", SECONDS, "Duration of transactions");
  public final Labelled<CounterDataPoint> auditRecords =
      declare.counters(
          "audit.records",
          "Records sampled by the audit, by what became of them; unaccounted and expired_unread are"
              + " losses",
          "topic",
          "outcome");
  public final CounterDataPoint auditFailures =
      declare.counter("audit.failures", "Samples of the audit that failed: Kafka or the store");
  public final CounterDataPoint storesSetAside =
      declare.counter("store.replaced", "Damaged databases renamed and replaced at startup");
  public final DistributionDataPoint commitChanges =
      declare.histogram("store.commit.changes", NUMBER, "Changes per transaction");
  public final GaugeDataPoint heapUsed =
      declare.gauge("jvm.heap_used.bytes", BYTES, "Java heap in use");
  public final CounterDataPoint collections =
      declare.counter("jvm.gc.collections", "Garbage collections");
  public final CounterDataPoint collectionSeconds =
      declare.counter("jvm.gc.seconds", "Time spent in garbage collection, in seconds");

  public final Labelled<CounterDataPoint> droppedTelemetry =
      declare.counters(
          "telemetry.dropped",
          "Telemetry dropped because the receiver did not accept it: log lines, Sentry reports,"
              + " statsd datagrams, steps of tasks; channel is log, sentry, statsd, task_steps"
              + " or task_step_topic",
          "channel");

  public final Labelled<DistributionDataPoint> runTime =
      declare.tracedHistograms(
          "tasks.run_time",
          SECONDS,
          "Time from the delivery of a task to the report that it is complete",
          "application",
          "taskname");
  public final GaugeDataPoint ready =
      declare.gauge("health.ready", NUMBER, "1 while the broker is ready, else 0");
  public final Labelled<GaugeDataPoint> healthConditions =
      declare.gauges(
          "health.conditions",
          NUMBER,
          "1 while a condition of docs/health.md holds, 0 after it; stage is the stage, topic or"
              + " configuration key that it concerns",
          "condition",
          "stage");
  public final CounterDataPoint clockSteps =
      declare.counter("clock.steps", "Steps of the machine's clock by five seconds or more");
  public final Labelled<GaugeDataPoint> certificateExpiry =
      declare.gauges(
          "tls.certificate_expiry_timestamp",
          SECONDS,
          "End of the certificate in a file, in seconds since the epoch; certificate is the"
              + " configuration key of the file",
          "certificate");

  /// Messages that are not stored yet, of each partition that this broker reads, by topic and
  /// partition number.
  public Map<Map.Entry<String, String>, Long> lags() {
    var lags = new HashMap<Map.Entry<String, String>, Long>();
    lag.byTwoTags().forEach((partition, gauge) -> lags.put(partition, (long) gauge.get()));
    return lags;
  }

  /// Times from when a task was published, or its delay ended, until a worker had it.
  public Distribution waiting() {
    return Distributions.of(receivedToPush).plus(Distributions.of(receivedToGetTask));
  }

  /// Times from the delivery of a task to the report that it is complete.
  public Distribution running() {
    return Distributions.of(runTime);
  }

  /// Current values of the registry.
  MetricSnapshots scrape() {
    return declare.registry.scrape();
  }

  /// All metrics, in order of declaration.
  List<Declared> declared() {
    return List.copyOf(declare.all);
  }

  /// Metrics of the reference without a counterpart here.
  ///
  /// @param names of its metrics
  /// @param why one line
  record Absent(String names, String why) {}

  static final List<Absent> ABSENT =
      List.of(
          new Absent(
              "grpc_server.set_batch_activation_status.affected_diff, .partial;"
                  + " grpc_server.flush_updates.affected, .partial",
              "The engine matches a report to its task before anything is written; reports about"
                  + " unknown ids are inflight.events{event=unknown_id}"),
          new Absent(
              "fetch.loop.count, fetch.loop.duration, fetch.claim_activations_for_push.duration,"
                  + " fetch.claim_batch_size, fetch.empty, fetch.store_error",
              "Nothing polls the store for work: a task is claimed when a worker has capacity"),
          new Absent(
              "filter.drop_task_killswitch.duration",
              "Rules are evaluated once per message, by name first; nothing waits for them"),
          new Absent(
              "push.queue.wait_duration",
              "Nothing waits for queue space: the engine claims only when there is capacity"),
          new Absent(
              "push.thread.update, push.thread.update.duration, push.updater.flush,"
                  + " push.updater.flush.expected, push.updater.flush.actual,"
                  + " push.updater.queue.depth",
              "Status updates are part of the next transaction; see store.commit.duration and"
                  + " push.mark_activation_processing"),
          new Absent(
              "store.retry.exhausted", "A transaction is retried until it is committed (G1, G2)"),
          new Absent(
              "sqlite.write.acquire_conn, postgres.write.acquire_conn",
              "One connection writes, owned by the committer thread"),
          new Absent(
              "store.vacuum.freelist, store.passive_checkpoint_busy, store.pages_written_to_wal,"
                  + " store.pages_committed_to_db, store.checkpoint.failed,"
                  + " store.checkpoint.duration, sqlite.db.*",
              "SQLite checkpoints automatically; see upkeep.wal_file_size.bytes"),
          new Absent(
              "upkeep.duration, upkeep.handle_retries, .handle_processing_deadline,"
                  + " .handle_claim_expiration, .handle_processing_attempts_exceeded,"
                  + " .handle_expires_at, .handle_delay_until, .handle_failed_tasks,"
                  + " .remove_completed, .remove_killswitched, .forward_task_demoted_namespaces",
              "There are no upkeep rounds: each of these happens to a task when it is due"),
          new Absent(
              "upkeep.handle_processing_deadline.skipped, upkeep.handle_claim_expiration.skipped",
              "Deadlines from before a restart are extended once instead of being skipped"),
          new Absent(
              "upkeep.full_vacuum, upkeep.full_vacuum.failure",
              "The file is shrunk incrementally; see store.vacuum"));
}
