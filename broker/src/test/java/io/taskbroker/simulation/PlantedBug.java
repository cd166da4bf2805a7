package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.RemoteReport;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.activation.Watermark;
import io.taskbroker.engine.Outlets;
import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import io.taskbroker.inflight.Delivery;
import io.taskbroker.inflight.EngineOptions;
import io.taskbroker.inflight.OutboxRecord;
import io.taskbroker.inflight.PushOutcome;
import io.taskbroker.ingest.SteppedReader;
import io.taskbroker.runtime.Progress;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.Outcome;
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

/// Bugs that a broker could have, planted between its real parts, to see whether the ledger finds
/// them.
enum PlantedBug implements Tampering {
  /// An offset counts as durable as soon as its record was handed over.
  OFFSET_COMMITTED_EARLY("G1") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
        @Override
        public void submit(Command command) {
          super.submit(command);
          if (command instanceof Command.Ingest records) {
            run.consumed(
                records.partition(), records.nextOffset(), records.arrivals().size(), 0, true);
          }
        }
      };
    }
  },
  /// The engine is told that a change is durable when it was handed to the committer.
  DURABLE_TOO_SOON("G2") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void commit(List<Change> changes, List<StoreQuery> queries) {
          run.submit(new Command.Committed(List.copyOf(changes)));
          super.commit(changes, queries);
        }
      };
    }

    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.Committed.class::isInstance);
    }
  },
  /// The engine never hears that a worker was busy.
  GIVE_BACK_FORGOTTEN("H9") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(
          intake,
          command ->
              command instanceof Command.PushEnded pushed && pushed.outcome() == PushOutcome.BUSY);
    }
  },
  /// The id of a retry is made up.
  RETRY_ID_NOT_DERIVED("H8") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return Taps.changing(
          outlets,
          change ->
              change instanceof Change.Forward leave && leave.payload() != null
                  ? new Change.Forward(
                      leave.key(),
                      leave.id(),
                      leave.origin(),
                      leave.status(),
                      Taps.withId(leave.payload(), leave.id() + "-again"),
                      leave.destination(),
                      leave.owner())
                  : change);
    }
  },
  /// Marks are not written.
  MARK_SKIPPED("H9") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.without(store, Change.UpdateStatus.class::isInstance);
    }
  },
  /// A task that may run only once does not wait for its offset to be committed.
  PROOF_SKIPPED("H2") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// The clock of the engine is a millisecond fast.
  CLOCK_FAST("H21") {
    @Override
    public InstantSource clock(InstantSource clock) {
      return () -> clock.instant().plusMillis(1);
    }
  },
  /// A batch that failed is taken for done.
  FAILED_BATCH_DROPPED("G2") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return new ForwardingStore(store) {
        @Override
        public List<Outcome> commit(WriteBatch batch) {
          try {
            return super.commit(batch);
          } catch (StoreException e) {
            if (e.kind() == StoreException.Kind.TRANSIENT) {
              return Collections.nCopies(batch.changes().size(), Outcome.APPLIED);
            }
            throw e;
          }
        }
      };
    }
  },
  /// Two changes of one row change places.
  CHANGES_REORDERED("H20") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void commit(List<Change> changes, List<StoreQuery> queries) {
          super.commit(changes.reversed(), queries);
        }
      };
    }
  },
  /// A watermark is written in a transaction before that of its rows.
  WATERMARK_FIRST("H1") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void commit(List<Change> changes, List<StoreQuery> queries) {
          List<Change> others = new ArrayList<>(changes);
          others.removeIf(Change.AdvanceWatermark.class::isInstance);
          List<Change> first = new ArrayList<>(changes);
          first.removeIf(change -> !(change instanceof Change.AdvanceWatermark));
          first.addAll(others);
          super.commit(first, queries);
        }
      };
    }
  },
  /// A watermark is not written.
  WATERMARK_SKIPPED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.without(store, Change.AdvanceWatermark.class::isInstance);
    }
  },
  /// A batch that is tried again gets another number (H6).
  BATCH_RENUMBERED("H6") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return new ForwardingStore(store) {
        private long number;

        @Override
        public List<Outcome> commit(WriteBatch batch) {
          return super.commit(new WriteBatch(++number, batch.changes()));
        }
      };
    }
  },
  /// The ids of what is done are not remembered.
  TOMBSTONE_SKIPPED("H8") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return Taps.changing(
          outlets,
          change ->
              change instanceof Change.Delete delete
                  ? new Change.Delete(
                      delete.key(), delete.id(), delete.origin(), Row.NONE, delete.owner())
                  : change);
    }
  },
  /// A departure is produced before its decision is durable (H7).
  PRODUCED_TOO_SOON("H7") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void commit(List<Change> changes, List<StoreQuery> queries) {
          List<Change> leaves = new ArrayList<>(changes);
          leaves.removeIf(change -> !(change instanceof Change.Forward));
          super.commit(changes, queries);
          if (!leaves.isEmpty()) {
            run.submit(new Command.Committed(leaves));
          }
        }
      };
    }

    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// A departure is forgotten before Kafka has acknowledged it.
  FORGOTTEN_UNACKNOWLEDGED("G4") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void produce(OutboxRecord departure) {
          super.produce(departure);
          run.submit(new Command.Produced(departure));
        }
      };
    }

    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.Produced.class::isInstance);
    }
  },
  /// Every task is pushed twice.
  PUSHED_TWICE("G3") {
    @Override
    public Outlets outlets(Outlets outlets, BrokerRun run) {
      return new ForwardingOutlets(outlets) {
        @Override
        public void push(Delivery delivery) {
          super.push(delivery);
          super.push(delivery);
        }
      };
    }
  },
  /// A report is answered by whoever takes it in.
  REPORT_ANSWERED_UNREAD("G2") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.without(store, Change.Delete.class::isInstance);
    }
  },
  /// A commit is answered before it is synced: the last one is lost with the power.
  NOT_SYNCED("G2") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return new ForwardingStore(store) {
        private WriteBatch unsynced = new WriteBatch(0, List.of());

        @Override
        public List<Outcome> commit(WriteBatch batch) {
          if (batch.number() != unsynced.number()) {
            var _ = super.commit(unsynced);
            unsynced = new WriteBatch(batch.number(), List.copyOf(batch.changes()));
          }
          return Collections.nCopies(batch.changes().size(), Outcome.APPLIED);
        }
      };
    }
  },
  /// What is read of parked rows gets lost (H15).
  PAGE_LOST("H15") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.ParkedRead.class::isInstance);
    }
  },
  /// A push whose answer was lost is taken for one that reached nobody (H9).
  LOST_TAKEN_FOR_UNREACHABLE("H9") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// What was committed by others before a partition came is not looked at (H2).
  OTHERS_COMMITS_IGNORED("H2") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// The clock of the engine is forty milliseconds slow.
  CLOCK_SLOW("H22") {
    @Override
    public InstantSource clock(InstantSource clock) {
      return () -> clock.instant().minusMillis(40);
    }
  },
  /// A row that the store cannot hold is tried for ever (H12).
  REFUSAL_TRIED_FOR_EVER("H12") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.mistaking(store, StoreException.Kind.DATA);
    }
  },
  /// A full disk is taken for a failure that passes: deletes wait behind inserts (H12).
  FULL_DISK_WAITED_OUT("H12") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.mistaking(store, StoreException.Kind.FULL);
    }
  },
  /// After a start, deadlines pass before reports can come in (H16).
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
              periods.markInterval(),
              0,
              periods.settle(),
              periods.parkHorizon(),
              periods.tombstone()));
    }
  },
  /// The engine takes in however much waits for the store (H14).
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
  /// Reading goes on, however much of it is with the engine.
  READ_AHEAD_UNBOUNDED("G7") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
        @Override
        public void submit(Command command) {
          super.submit(command);
          if (command instanceof Command.Ingest records) {
            run.lift(records);
          }
        }
      };
    }
  },
  /// A stage without work is taken for one that does none.
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
  /// What is committed in Kafka is not compared with what was committed last (H1).
  RESET_IGNORED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.remembering(
          store, mark -> new Watermark(mark.partition(), mark.next(), Math.min(0, mark.next())));
    }
  },
  /// A topic that was made anew is taken for the old one (H1).
  UUID_IGNORED("H1") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return Taps.remembering(
          store,
          mark -> {
            SourcePartition of = mark.partition();
            return new Watermark(
                new SourcePartition(
                    of.cluster(),
                    of.group(),
                    run.broker.kafka.id(of.topic()),
                    of.topic(),
                    of.partition()),
                mark.next(),
                mark.committed());
          });
    }
  },
  /// The engine never hears of other rules (H22).
  RULES_UNHEARD("H22") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.RulesChanged.class::isInstance);
    }
  },
  /// The id of what a raw record became is not remembered (H8).
  RAW_ID_FORGOTTEN("H8") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.arriving(
          intake,
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
  /// A transaction is two, the second half of it first.
  BATCH_TORN("G1") {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return new ForwardingStore(store) {
        @Override
        public List<Outcome> commit(WriteBatch batch) {
          int half = batch.changes().size() / 2;
          List<Change> first = batch.changes().subList(0, half);
          List<Change> second = batch.changes().subList(half, batch.changes().size());
          var _ = super.commit(new WriteBatch(2 * batch.number(), second));
          var _ = super.commit(new WriteBatch(2 * batch.number() + 1, first));
          return Collections.nCopies(batch.changes().size(), Outcome.APPLIED);
        }
      };
    }
  },
  /// A broker that stops does not write down what workers have (H17).
  DRAIN_UNHEARD("H17") {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.Drain.class::isInstance);
    }
  },
  /// What was noted in Kafka with an offset is not read: a store that is lost is read on from
  /// there.
  NOTES_UNREAD("G1", true) {
    @Override
    @SuppressWarnings("unchecked") // what it is asked with
    public Consumer<byte[], byte[]> consumer(Consumer<byte[], byte[]> consumer, BrokerRun run) {
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
  /// After a store was lost, what may run only once is taken for what nobody has read yet.
  READ_AGAIN_TAKEN_FOR_NEW("G3", true) {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// What a store refuses, as the partition is another broker's, is taken for committed (H10).
  FENCED_TAKEN_FOR_DONE("H10", true) {
    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
      return new ForwardingStore(store) {
        @Override
        public List<Outcome> commit(WriteBatch batch) {
          return super.commit(batch).stream()
              .map(outcome -> outcome == Outcome.FENCED ? Outcome.APPLIED : outcome)
              .toList();
        }
      };
    }
  },
  /// A lease that has ended does not stop what is handed out (H11).
  LEASE_ENDLESS("H11", true) {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return new ForwardingCommandSink(intake) {
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
  /// What other brokers were told is neither heard of nor asked for (H3).
  OTHERS_REPORTS_IGNORED("H3", true) {
    @Override
    public CommandSink intake(CommandSink intake, BrokerRun run) {
      return Taps.deaf(intake, Command.RemoteReportsRead.class::isInstance);
    }

    @Override
    public ActivationStore store(ActivationStore store, BrokerRun run) {
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
    public SteppedReader.EpochEnds ends(SteppedReader.EpochEnds ends) {
      return (_, _) -> Long.MAX_VALUE;
    }
  };

  /// The guarantee that it breaks, or the history whose rule it switches off.
  final String rule;

  /// The seed before the first that may find it.
  final long before;

  PlantedBug(String rule) {
    this(rule, false);
  }

  /// @param wide whether it takes what only happens in wide worlds
  PlantedBug(String rule, boolean wide) {
    this.rule = rule;
    this.before = wide ? FreshSeeds.LEAST : 0;
  }
}
