package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.activation.Watermark;
import io.taskbroker.engine.AllPorts;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.runtime.Progress;
import io.taskbroker.runtime.Ticker;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ActivationStore.ParkedPage;
import io.taskbroker.store.ActivationStore.ParkedQuery;
import io.taskbroker.store.InMemoryStore;
import io.taskbroker.store.StoreException;
import io.taskbroker.store.StoreQuery;
import io.taskbroker.store.WriteBatch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.common.TopicPartition;

/// Brokers without the rule that prevents a failure history: each lacks exactly one.
enum SwitchedOff implements Tampering {
  /// Watermarks are not read at startup.
  WATERMARKS_UNREAD {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<Watermark> watermarks() {
          return List.of();
        }
      };
    }
  },
  /// A record whose id is in flight is a duplicate, even if that task is already being forwarded
  /// (H4).
  DUPLICATE_OF_WHAT_LEAVES {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.admitting(sink, arrival -> !leaves(process, arrival.activation()));
    }

    private static boolean leaves(SimulatedProcess process, Activation activation) {
      return process.broker.disk.rows().values().stream()
          .anyMatch(row ->
              row.forwardTo() != null
                  && row.activation().id().equals(activation.id())
                  && !row.activation().origin().equals(activation.origin()));
    }
  },
  /// The start position of a topic is neither committed nor remembered.
  BEGINNING_FORGOTTEN {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return WATERMARKS_UNREAD.store(store, process);
    }

    @Override
    public Consumer<byte[], byte[]> consumer(
        Consumer<byte[], byte[]> consumer, SimulatedProcess process) {
      return process.number == 1
          ? Taps.calling(consumer, "commitSync", _ -> Optional.empty())
          : consumer;
    }
  },
  /// An unknown partition is read from its end, even if its topic is known.
  ADDED_AT_ITS_END {
    @Override
    @SuppressWarnings("unchecked") // argument of the intercepted call
    public Consumer<byte[], byte[]> consumer(
        Consumer<byte[], byte[]> consumer, SimulatedProcess process) {
      return Taps.calling(
          consumer,
          "beginningOffsets",
          arguments ->
              Optional.of(
                  consumer.endOffsets(
                      (Collection<TopicPartition>) arguments[0], (Duration) arguments[1])));
    }
  },
  /// Forwarded rows are loaded as ready to run.
  FORWARDING_LOADED_AS_PENDING {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store,
          row ->
              row.forwardTo() == null
                  ? row
                  : Row.arriving(row.key(), row.activation(), Status.PENDING, row.addedAt()));
    }
  },
  /// Tombstones are not read at startup.
  TOMBSTONES_UNREAD {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<Tombstone> tombstones(long now) {
          return List.of();
        }
      };
    }
  },
  /// One bound on ready tasks for all applications; tasks beyond it wait in Kafka.
  ONE_BOUND_FOR_ALL {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new HeldRecords(sink, process) {
        @Override
        boolean holds(Command.Ingest records) {
          return process.broker.disk.rows().size()
              >= process.broker.options().limits().maxPending();
        }
      };
    }
  },
  /// The engine does not learn what the reader sees beyond the records it passed on.
  NEIGHBOUR_UNSEEN {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.dropping(sink, Command.LookaheadFound.class::isInstance);
    }
  },
  /// The engine blocks on the committer's full queue, and completions block on the engine's.
  ENGINE_BLOCKS {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return FullQueues.of(process).mailbox(sink);
    }

    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return FullQueues.of(process).committer(ports);
    }
  },
  /// Parked rows are read before earlier writes are on disk.
  READ_OVERTAKES_WRITES {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void submit(List<Change> changes, List<StoreQuery> queries) {
          super.submit(changes, List.of());
          for (StoreQuery asked : queries) {
            if (asked instanceof ParkedQuery query) {
              ParkedPage page = page(process, query);
              process.submit(
                  new Command.ParkedRead(
                      query.application(),
                      query.priority(),
                      page.rows(),
                      page.nextDue(),
                      query.upTo()));
            }
          }
        }
      };
    }

    private static ParkedPage page(SimulatedProcess process, ParkedQuery query) {
      List<Row> rows =
          process.broker.disk.rows().values().stream()
              .filter(row -> row.parkedUntil() != Row.NONE)
              .filter(row -> row.activation().application().equals(query.application()))
              .filter(row -> row.activation().priority() == query.priority())
              .filter(row -> row.parkedUntil() <= query.upTo())
              .filter(row ->
                  row.parkedUntil() > query.afterDue()
                      || (row.parkedUntil() == query.afterDue() && row.key() > query.afterKey()))
              .sorted(Comparator.<Row>comparingLong(Row::parkedUntil).thenComparingLong(Row::key))
              .toList();
      List<Row> first = rows.stream().limit(query.limit()).toList();
      return new ParkedPage(
          first, rows.size() > first.size() ? rows.get(first.size()).parkedUntil() : Row.NONE);
    }
  },
  /// A Complete after a Retry is acknowledged once that is durable, without any other effect.
  RETRY_WINS {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        private final Map<String, Status> reported = new HashMap<>();

        @Override
        public void request(Command.Request request) {
          if (request instanceof Command.Report report) {
            Command.Update update = report.updates().getFirst();
            Status before = reported.putIfAbsent(update.id(), update.status());
            if (before == Status.RETRY && update.status() == Status.COMPLETE) {
              var retry = new Command.Update(update.id(), Status.RETRY, -1, -1);
              super.request(new Command.Report(List.of(retry), report.next(), report.reply()));
              return;
            }
          }
          super.request(request);
        }
      };
    }
  },
  /// The partition of an undecodable message waits until Kafka has it as a dead letter.
  POISON_WAITED_FOR {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new HeldRecords(sink, process) {
        private boolean poisoned;

        @Override
        boolean holds(Command.Ingest records) {
          if (poisoned) {
            poisoned =
                process.broker.disk.rows().values().stream()
                    .anyMatch(row -> row.activation().id().startsWith("undecodable"));
          }
          boolean held = poisoned;
          poisoned |= records.arrivals().stream().anyMatch(each -> each.undecodable() != null);
          return held;
        }
      };
    }
  },
  /// Of two changes of one row in a transaction the later one is applied first.
  ROW_CHANGES_SWAPPED {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          List<Change> changes = new ArrayList<>(batch.changes());
          for (int i = 0; i < changes.size(); i++) {
            for (int j = i + 1; j < changes.size(); j++) {
              if (changes.get(i) instanceof Change.UpdateStatus update
                  && changes.get(j) instanceof Change.Delete delete
                  && update.key() == delete.key()) {
                changes.set(i, delete);
                changes.set(j, update);
              }
            }
          }
          return super.commit(new WriteBatch(batch.number(), changes));
        }
      };
    }
  },
  /// The end of a delay is stored in whole seconds, rounded down.
  DELAY_ROUNDED_DOWN {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store,
          row ->
              Row.arriving(
                  row.key(),
                  Taps.timed(
                      row.activation(),
                      row.activation().expiresAt(),
                      row.activation().delayUntil() / 1_000 * 1_000),
                  row.status(),
                  row.addedAt()));
    }
  },
  /// Leases and deadlines follow the wall clock.
  DEADLINES_BY_WALL_CLOCK {
    @Override
    public Ticker ticker(Ticker ticker, LongSupplier wallSteps) {
      return new Ticker() {
        @Override
        public long nanoTime() {
          return ticker.nanoTime() + wallSteps.getAsLong() * SimulatedWorld.MS;
        }

        @Override
        public void await(ReentrantLock lock, Condition condition, long until) {
          throw new AssertionError("A simulation must not block");
        }
      };
    }
  },
  /// A broker starts without rules.
  RULES_FORGOTTEN {
    @Override
    public SimulatedRules rules(SimulatedRules rules) {
      return SimulatedRules.NONE;
    }
  },
  /// Expiry is not checked after ingest.
  EXPIRY_UNCHECKED {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return Taps.arriving(
          sink, activation -> Taps.timed(activation, Activation.NEVER, activation.delayUntil()));
    }
  },
  /// Any process may open a database and write to it.
  STORE_UNGUARDED {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          try {
            return super.commit(batch);
          } catch (StoreException e) {
            if (e.kind() != StoreException.Kind.FATAL) {
              throw e;
            }
            SimulatedDisk.File file = (SimulatedDisk.File) process.broker.disk;
            List<ChangeOutcome> outcomes = new InMemoryStore(file.disk()).commit(batch);
            for (int i = 0; i < outcomes.size(); i++) {
              process.broker.ledger.applied(process, batch.changes().get(i), outcomes.get(i));
            }
            return outcomes;
          }
        }
      };
    }
  },
  /// A task refused by the worker's code counts as refused by its connection.
  REFUSED_TAKEN_FOR_BUSY {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        @Override
        public void submit(Command command) {
          if (command instanceof Command.PushEnded pushed
              && pushed.outcome() == PushOutcome.REFUSED) {
            super.submit(new Command.PushEnded(pushed.delivery(), PushOutcome.BUSY, ""));
          } else {
            super.submit(command);
          }
        }
      };
    }
  },
  /// Attempts count as progress of a stage.
  TRYING_TAKEN_FOR_DOING {
    @Override
    public Progress progress(Progress progress) {
      return new Progress() {
        private long looks;

        @Override
        public String name() {
          return progress.name();
        }

        @Override
        public boolean hasWork() {
          return progress.hasWork();
        }

        @Override
        public long done() {
          return ++looks;
        }
      };
    }
  },
  /// Tasks are loaded into memory without a bound.
  MEMORY_UNBOUNDED {
    @Override
    public EngineOptions bounds(EngineOptions options) {
      return withMemory(options, FEW_BYTES);
    }
  },
  /// A stopping broker acknowledges all waiting reports.
  ANSWERED_AT_STOP {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new ForwardingCommandSink(sink) {
        private final List<Command.Report> open = new ArrayList<>();

        @Override
        public void request(Command.Request request) {
          if (request instanceof Command.Report report) {
            open.add(report);
          }
          super.request(request);
        }

        @Override
        public void submit(Command command) {
          if (command instanceof Command.Drain) {
            open.forEach(report -> report.reply().done(null));
          }
          super.submit(command);
        }
      };
    }
  },
  /// The first death of a worker fails the task.
  ONE_DEATH_TAKEN_FOR_ALL {
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
              1,
              limits.maxStoreBytes(),
              limits.maxMemoryBytes(),
              limits.maxChanges(),
              limits.maxCalls()),
          options.periods());
    }
  },
  /// When workers are lost, all tasks of the application are blamed.
  NEIGHBOURS_BLAMED {
    @Override
    public AllPorts ports(AllPorts ports, SimulatedProcess process) {
      return new ForwardingPorts(ports) {
        @Override
        public void event(EngineEvent notice, String id, String detail) {
          super.event(notice, id, detail);
          if (notice == EngineEvent.WORKER_UNREACHABLE) {
            process.broker.disk.rows().values().stream()
                .filter(row -> row.activation().application().equals(id))
                .forEach(
                    row -> super.event(EngineEvent.WORKER_DIED, row.activation().id(), detail));
          }
        }
      };
    }
  };

  /// Memory limit in bytes of a broker with little memory: ten tasks.
  static final long FEW_BYTES = 12_000;

  /// A broker with little memory and all rules.
  static final Tampering LITTLE_MEMORY =
      new Tampering() {
        @Override
        public EngineOptions options(EngineOptions options) {
          return withMemory(options, FEW_BYTES);
        }

        @Override
        public EngineOptions bounds(EngineOptions options) {
          return withMemory(options, FEW_BYTES);
        }
      };

  private static EngineOptions withMemory(EngineOptions options, long bytes) {
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
            bytes,
            limits.maxChanges(),
            limits.maxCalls()),
        options.periods());
  }
}
