package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.Progress;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.store.WriteBatch;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/// Possible bugs, planted between the real parts of a broker, to test that the ledger finds them.
enum PlantedBug implements Tampering {
  /// An offset counts as durable as soon as its record was passed to the engine.
  OFFSET_COMMITTED_EARLY("G1") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          super.submit(command);
          if (command instanceof Command.Ingest records) {
            process.consumed(
                records.partition(), records.nextOffset(), records.arrivals().size(), 0, true);
          }
        }
      };
    }
  },
  /// A change is reported durable when it is passed to the committer.
  DURABLE_TOO_SOON("G2") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void submit(List<Change> changes, List<StoreQuery> queries) {
          process.submit(new Command.Committed(List.copyOf(changes)));
          super.submit(changes, queries);
        }
      };
    }

    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.Committed.class::isInstance);
    }
  },
  /// The engine never learns that a worker was busy.
  GIVE_BACK_FORGOTTEN("H9") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(
          sink,
          command ->
              command instanceof Command.PushEnded pushed && pushed.outcome() == PushOutcome.BUSY);
    }
  },
  /// The id of a retry is random.
  RETRY_ID_NOT_DERIVED("H8") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return Taps.changing(
          ports,
          change ->
              change instanceof Change.Forward forward && forward.payload() != null
                  ? new Change.Forward(
                      forward.key(),
                      forward.id(),
                      forward.origin(),
                      forward.status(),
                      Taps.withId(forward.payload(), forward.id() + "-again"),
                      forward.destination(),
                      forward.owner())
                  : change);
    }
  },
  /// Status updates are not written.
  STATUS_WRITE_SKIPPED("H9") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.without(store, Change.UpdateStatus.class::isInstance);
    }
  },
  /// An at-most-once task does not wait for the commit of its offset.
  CONFIRMATION_SKIPPED("H2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          super.submit(command);
          if (command instanceof Command.Ingest records) {
            super.submit(new Command.OffsetCommitted(records.partition(), records.nextOffset()));
          }
        }
      };
    }
  },
  /// The engine's clock is one millisecond fast.
  CLOCK_FAST("H21") {
    @Override
    public InstantSource clock(InstantSource clock) {
      return () -> clock.instant().plusMillis(1);
    }
  },
  /// A failed batch counts as committed.
  FAILED_BATCH_DROPPED("G2") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          try {
            return super.commit(batch);
          } catch (StoreException e) {
            if (e.kind() == StoreException.Kind.TRANSIENT) {
              return Collections.nCopies(batch.changes().size(), ChangeOutcome.APPLIED);
            }
            throw e;
          }
        }
      };
    }
  },
  /// The store answers that a row which it deletes is missing; the engine must not be silent.
  DELETE_ANSWERED_MISSING("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.answering(store, Change.Delete.class, ChangeOutcome.MISSING);
    }
  },
  /// The store answers that the key of a new row exists; the engine must not be silent.
  INSERT_ANSWERED_DUPLICATE("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.answering(store, Change.Insert.class, ChangeOutcome.DUPLICATE);
    }
  },
  /// Two changes of one row are swapped.
  CHANGES_REORDERED("H20") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void submit(List<Change> changes, List<StoreQuery> queries) {
          super.submit(changes.reversed(), queries);
        }
      };
    }
  },
  /// A watermark is committed in a transaction before its rows.
  WATERMARK_FIRST("H1") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void submit(List<Change> changes, List<StoreQuery> queries) {
          List<Change> others = new ArrayList<>(changes);
          others.removeIf(Change.AdvanceWatermark.class::isInstance);
          List<Change> first = new ArrayList<>(changes);
          first.removeIf(change -> !(change instanceof Change.AdvanceWatermark));
          first.addAll(others);
          super.submit(first, queries);
        }
      };
    }
  },
  /// Watermarks are not written.
  WATERMARK_SKIPPED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.without(store, Change.AdvanceWatermark.class::isInstance);
    }
  },
  /// A retried batch gets a new number (H6).
  BATCH_RENUMBERED("H6") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        private long number;

        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          return super.commit(new WriteBatch(++number, batch.changes()));
        }
      };
    }
  },
  /// No tombstones are written.
  TOMBSTONE_SKIPPED("H8") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return Taps.changing(
          ports,
          change ->
              change instanceof Change.Delete delete
                  ? new Change.Delete(
                      delete.key(), delete.id(), delete.origin(), Row.NONE, delete.owner())
                  : change);
    }
  },
  /// A record is produced before its forward is durable (H7).
  PRODUCED_TOO_SOON("H7") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void submit(List<Change> changes, List<StoreQuery> queries) {
          List<Change> leaves = new ArrayList<>(changes);
          leaves.removeIf(change -> !(change instanceof Change.Forward));
          super.submit(changes, queries);
          if (!leaves.isEmpty()) {
            process.submit(new Command.Committed(leaves));
          }
        }
      };
    }

    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          if (command instanceof Command.Committed committed) {
            List<Change> others = new ArrayList<>(committed.changes());
            others.removeIf(Change.Forward.class::isInstance);
            super.submit(new Command.Committed(others));
          } else {
            super.submit(command);
          }
        }
      };
    }
  },
  /// A forwarded row is deleted before Kafka has acknowledged the record.
  FORGOTTEN_UNACKNOWLEDGED("G4") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void produce(OutboxRecord record) {
          super.produce(record);
          process.submit(new Command.Produced(record));
        }
      };
    }

    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.Produced.class::isInstance);
    }
  },
  /// Every task is pushed twice.
  PUSHED_TWICE("G3") {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void push(Delivery delivery) {
          super.push(delivery);
          super.push(delivery);
        }
      };
    }
  },
  /// A report is acknowledged on receipt.
  REPORT_ANSWERED_UNREAD("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void request(Command.Request request) {
          if (request instanceof Command.Report report) {
            report.reply().done(null);
          } else {
            super.request(request);
          }
        }
      };
    }
  },
  /// A row is not deleted.
  DELETE_SKIPPED("G2") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.without(store, Change.Delete.class::isInstance);
    }
  },
  /// A commit is acknowledged before the sync: a power failure loses the last one.
  NOT_SYNCED("G2") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        private WriteBatch unsynced = new WriteBatch(0, List.of());

        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          if (batch.number() != unsynced.number()) {
            var _ = super.commit(unsynced);
            unsynced = new WriteBatch(batch.number(), List.copyOf(batch.changes()));
          }
          return Collections.nCopies(batch.changes().size(), ChangeOutcome.APPLIED);
        }
      };
    }
  },
  /// A page of parked rows is lost (H15).
  PAGE_LOST("H15") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.ParkedRead.class::isInstance);
    }
  },
  /// A push whose reply was lost counts as unreachable (H9).
  LOST_TAKEN_FOR_UNREACHABLE("H9") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          if (command instanceof Command.PushEnded pushed && pushed.outcome() == PushOutcome.LOST) {
            super.submit(new Command.PushEnded(pushed.delivery(), PushOutcome.UNREACHABLE, ""));
          } else {
            super.submit(command);
          }
        }
      };
    }
  },
  /// Offsets committed by other brokers before the partition was assigned are ignored (H2).
  OTHERS_COMMITS_IGNORED("H2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          if (command instanceof Command.PartitionAssigned assigned) {
            super.submit(new Command.PartitionAssigned(assigned.partition(), Watermark.NONE));
          } else {
            super.submit(command);
          }
        }
      };
    }
  },
  /// The engine's clock is forty milliseconds slow.
  CLOCK_SLOW("H22") {
    @Override
    public InstantSource clock(InstantSource clock) {
      return () -> clock.instant().minusMillis(40);
    }
  },
  /// A row that the store refuses is retried for ever (H12).
  REFUSAL_TRIED_FOR_EVER("H12") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.misclassifying(store, StoreException.Kind.DATA);
    }
  },
  /// A full disk counts as a transient failure: deletes wait behind inserts (H12).
  FULL_DISK_WAITED_OUT("H12") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.misclassifying(store, StoreException.Kind.FULL);
    }
  },
  /// After a restart, deadlines expire before reports can arrive (H16).
  NO_RESTART_GRACE("H16") {
    @Override
    public EngineOptions options(EngineOptions options) {
      EngineOptions.Periods periods = options.periods();
      return new EngineOptions(
          options.pushApplications(),
          options.retryTopic(),
          options.deadLetterTopic(),
          options.limits(),
          new EngineOptions.Periods(
              periods.grace(),
              periods.lease(),
              periods.statusWriteInterval(),
              0,
              periods.settle(),
              periods.parkHorizon(),
              periods.tombstone()));
    }
  },
  /// The engine accepts tasks whatever the backlog of the store (H14).
  CREDIT_IGNORED("H14") {
    @Override
    public EngineOptions options(EngineOptions options) {
      EngineOptions.Limits limits = options.limits();
      return new EngineOptions(
          options.pushApplications(),
          options.retryTopic(),
          options.deadLetterTopic(),
          new EngineOptions.Limits(
              limits.maxPending(),
              limits.maxDelayed(),
              limits.maxHandedOut(),
              limits.maxAttempts(),
              limits.maxStoreBytes(),
              limits.maxMemoryBytes(),
              Integer.MAX_VALUE / 2,
              limits.maxCalls()),
          options.periods());
    }
  },
  /// Reading continues whatever the backlog of the engine.
  READ_AHEAD_UNBOUNDED("G7") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          super.submit(command);
          if (command instanceof Command.Ingest records) {
            process.confirmUnseen(records);
          }
        }
      };
    }
  },
  /// An idle stage counts as stuck.
  IDLE_CALLED_STUCK("G9") {
    @Override
    public Progress progress(Progress progress) {
      return new Progress() {
        @Override
        public String name() {
          return progress.name();
        }

        @Override
        public boolean hasWork() {
          return true;
        }

        @Override
        public long done() {
          return progress.done();
        }
      };
    }
  },
  /// The offset committed in Kafka is not compared with the last commit of the broker (H1).
  RESET_IGNORED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.remembering(
          store,
          watermark ->
              new Watermark(
                  watermark.partition(), watermark.next(), Math.min(0, watermark.next())));
    }
  },
  /// A recreated topic counts as the old one (H1).
  UUID_IGNORED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.remembering(
          store,
          watermark -> {
            SourcePartition of = watermark.partition();
            return new Watermark(
                new SourcePartition(
                    of.cluster(),
                    of.group(),
                    process.broker.kafka.id(of.topic()),
                    of.topic(),
                    of.partition()),
                watermark.next(),
                watermark.committed());
          });
    }
  },
  /// The engine never receives new rules (H22).
  RULES_UNHEARD("H22") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.RulesChanged.class::isInstance);
    }
  },
  /// No tombstone is written for tasks from raw records (H8).
  RAW_ID_FORGOTTEN("H8") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.arriving(
          sink,
          of ->
              new Activation(
                  of.id(),
                  of.application(),
                  of.namespace(),
                  of.taskname(),
                  of.payload(),
                  of.origin(),
                  of.receivedAt(),
                  of.expiresAt(),
                  of.delayUntil(),
                  of.deadlineSeconds(),
                  of.failurePolicy(),
                  of.atMostOnce(),
                  of.derived() && !of.origin().topic().equals(SimulatedKafka.RAW)));
    }
  },
  /// A transaction is split in two, and the second half committed first.
  BATCH_TORN("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          int half = batch.changes().size() / 2;
          List<Change> first = batch.changes().subList(0, half);
          List<Change> second = batch.changes().subList(half, batch.changes().size());
          var _ = super.commit(new WriteBatch(2 * batch.number(), second));
          var _ = super.commit(new WriteBatch(2 * batch.number() + 1, first));
          return Collections.nCopies(batch.changes().size(), ChangeOutcome.APPLIED);
        }
      };
    }
  },
  /// A stopping broker does not write which tasks workers have (H17).
  DRAIN_UNHEARD("H17") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.Drain.class::isInstance);
    }
  },
  /// The metadata of committed offsets is not read: after the loss of a store, reading continues at
  /// the committed offset.
  NOTES_UNREAD("G1", true) {
    @Override
    @SuppressWarnings("unchecked") // argument of the intercepted call
    public Consumer<byte[], byte[]> consumer(
        Consumer<byte[], byte[]> consumer, SimulatedProcess process) {
      return Taps.calling(
          consumer,
          "committed",
          arguments ->
              Optional.of(
                  Taps.withoutNotes(
                      consumer.committed(
                          (Set<TopicPartition>) arguments[0], (Duration) arguments[1]))));
    }
  },
  /// After the loss of a store, at-most-once records count as read for the first time.
  READ_AGAIN_TAKEN_FOR_NEW("G3", true) {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          if (command instanceof Command.PartitionAssigned assigned) {
            super.submit(new Command.PartitionAssigned(assigned.partition(), Watermark.NONE));
            if (assigned.committed() != Watermark.NONE) {
              super.submit(new Command.OffsetCommitted(assigned.partition(), assigned.committed()));
            }
          } else {
            super.submit(command);
          }
        }
      };
    }
  },
  /// Changes that the store fenced count as committed (H10).
  FENCED_TAKEN_FOR_DONE("H10", true) {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          return super.commit(batch).stream()
              .map(outcome -> outcome == ChangeOutcome.FENCED ? ChangeOutcome.APPLIED : outcome)
              .toList();
        }
      };
    }
  },
  /// An expired lease does not stop deliveries (H11).
  LEASE_ENDLESS("H11", true) {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          super.submit(
              command instanceof Command.LeaseRenewed
                  ? new Command.LeaseRenewed(Long.MAX_VALUE, Long.MAX_VALUE)
                  : command);
        }
      };
    }
  },
  /// Reports to other brokers are neither received nor queried (H3).
  OTHERS_REPORTS_IGNORED("H3", true) {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.RemoteReportsRead.class::isInstance);
    }

    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<RemoteReport> reports(List<Long> keys) {
          return List.of();
        }
      };
    }
  },
  /// Where a log was cut is not asked for when a partition is assigned.
  LOG_CUT_UNSEEN("G1", true) {
    @Override
    public SteppedReader.Log log(SteppedReader.Log log) {
      return Taps.unchanged(log, false);
    }
  },
  /// The store is not compared with the metadata of committed offsets at the start.
  SNAPSHOT_UNSEEN("G3", true) {
    @Override
    public boolean wentBack(boolean lacks) {
      return false;
    }
  },
  /// A commit does not require that the one before is still in the shared store.
  FAILOVER_UNSEEN("G1", true) {
    @Override
    public boolean noticesFailover() {
      return false;
    }
  },
  /// Only leader epochs tell whether a log is the one that was read, not the records.
  VOLUME_UNSEEN("G1", true) {
    @Override
    public SteppedReader.Log log(SteppedReader.Log log) {
      return Taps.unchanged(log, true);
    }
  };

  /// The guarantee that it breaks, or the history whose rule it disables.
  final String rule;

  /// The seed before the first candidate.
  final long before;

  PlantedBug(String rule) {
    this(rule, false);
  }

  /// @param wide whether only wide worlds can show it
  PlantedBug(String rule, boolean wide) {
    this.rule = rule;
    this.before = wide ? FreshSeeds.LEAST : 0;
  }
}
