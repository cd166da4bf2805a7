package io.taskbroker.simulation;

import io.taskbroker.activation.Activation;
import io.taskbroker.activation.Change;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Command.Outcome;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.ResultStatus;
import io.taskbroker.inflight.api.WorkerSession;
import io.taskbroker.store.ActivationStore;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;

/// Possible bugs of direct enqueue and of worker streams, planted between the real parts of a
/// broker, to test that the ledger finds them.
enum PlantedProtocolBug implements Tampering {
  /// An enqueue is answered on receipt.
  ENQUEUE_ANSWERED_UNREAD("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void enqueue(Command.Enqueue enqueue) {
          enqueue
              .reply()
              .done(Collections.nCopies(enqueue.activations().size(), EnqueueOutcome.ACCEPTED));
        }
      };
    }
  },
  /// A repeated enqueue is answered before the first one is durable.
  DUPLICATE_ANSWERED_EARLY("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      Set<String> seen = new HashSet<>();
      return new SessionTap(sink) {
        @Override
        void enqueue(Command.Enqueue enqueue) {
          List<Activation> tasks = enqueue.activations();
          if (tasks.stream().allMatch(each -> seen.contains(each.id()))) {
            enqueue.reply().done(Collections.nCopies(tasks.size(), EnqueueOutcome.ALREADY_EXISTS));
            return;
          }
          tasks.forEach(each -> seen.add(each.id()));
          super.enqueue(enqueue);
        }
      };
    }
  },
  /// The ids of ended tasks are forgotten at a restart.
  IDS_FORGOTTEN_AT_RESTART("G4") {
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
  /// The expiry of an enqueued task is not read.
  EXPIRY_UNREAD("G5") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void enqueue(Command.Enqueue enqueue) {
          super.enqueue(
              new Command.Enqueue(
                  enqueue.activations().stream()
                      .map(each -> Taps.timed(each, Activation.NEVER, each.delayUntil()))
                      .toList(),
                  enqueue.reply()));
        }
      };
    }
  },
  /// The next attempt of a retry policy is not written.
  RETRY_UNWRITTEN("G2") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.without(store, Change.Retry.class::isInstance);
    }
  },
  /// Priorities are forgotten at a restart.
  PRIORITY_FORGOTTEN_AT_RESTART("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store,
          row ->
              new Row(
                  row.key(),
                  row.activation().withPriority(0),
                  row.status(),
                  row.addedAt(),
                  row.attempts(),
                  row.claimExpiresAt(),
                  row.processingDeadline(),
                  row.deadlineExtended(),
                  row.committed(),
                  row.parkedUntil(),
                  row.forwardTo()));
    }
  },
  /// The delay of a retry is forgotten at a restart.
  RETRY_DELAY_FORGOTTEN_AT_RESTART("G5") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store,
          row ->
              row.activation().origin().partition() < 0 && row.status() == Status.DELAY
                  ? undelayed(row)
                  : row);
    }

    private static Row undelayed(Row row) {
      Activation activation = row.activation();
      return new Row(
          row.key(),
          Taps.timed(activation, activation.expiresAt(), 0),
          Status.PENDING,
          row.addedAt(),
          row.attempts(),
          row.claimExpiresAt(),
          row.processingDeadline(),
          row.deadlineExtended(),
          row.committed(),
          row.parkedUntil(),
          row.forwardTo());
    }
  },
  /// After a restart, tasks of workers with streams run elsewhere before those can come back.
  WORKERS_UNAWAITED("H16") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store, row -> isOfStream(row) ? Taps.handedOut(row, Status.PENDING, Row.NONE) : row);
    }
  },
  /// After a restart, tasks of workers with streams wait for their deadlines.
  WORKERS_AWAITED_FOR_EVER("H16") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return Taps.loading(
          store,
          row ->
              isOfStream(row)
                  ? Taps.handedOut(row, row.status(), process.broker.wall() + 60_000)
                  : row);
    }
  },
  /// After a restart, it is not read what workers with streams name.
  NAMED_IN_VAIN("H16") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void heartbeat(Command.WorkerHeartbeat heartbeat) {
          super.heartbeat(
              new Command.WorkerHeartbeat(
                  heartbeat.session(),
                  heartbeat.tasks().stream()
                      .filter(each -> delivers(process, each.id()))
                      .toList()));
        }
      };
    }
  },
  /// A result is acknowledged on receipt.
  RESULT_ANSWERED_UNREAD("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void results(Command.Results results) {
          results
              .reply()
              .done(Collections.nCopies(results.results().size(), ResultStatus.ACCEPTED));
        }
      };
    }
  },
  /// The token of a result is not compared with that of the last delivery.
  TOKEN_UNCHECKED("G6") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void results(Command.Results results) {
          super.results(
              new Command.Results(
                  results.session(),
                  results.results().stream()
                      .map(each ->
                          new Command.Result(
                              each.id(), current(process, each.id(), each.token()), each.outcome()))
                      .toList(),
                  results.reply()));
        }
      };
    }
  },
  /// The token of a heartbeat is not compared with that of the last delivery.
  HEARTBEAT_OF_ANOTHER("G6") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void heartbeat(Command.WorkerHeartbeat heartbeat) {
          super.heartbeat(
              new Command.WorkerHeartbeat(
                  heartbeat.session(),
                  heartbeat.tasks().stream()
                      .map(each ->
                          new Command.TaskHeartbeat(
                              each.id(), current(process, each.id(), each.token())))
                      .toList()));
        }
      };
    }
  },
  /// Heartbeats extend no deadline.
  HEARTBEATS_UNREAD("G5") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void heartbeat(Command.WorkerHeartbeat heartbeat) {}
      };
    }
  },
  /// The engine is not informed that a worker was silent for its lease.
  SILENCE_UNHEARD("G8") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void closed(Command.WorkerClosed closed) {
          if (!closed.silent()) {
            super.closed(closed);
          }
        }
      };
    }
  },
  /// The engine is not informed that a stream broke.
  BROKEN_STREAM_UNHEARD("G8") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void closed(Command.WorkerClosed closed) {
          if (closed.silent()) {
            super.closed(closed);
          }
        }
      };
    }
  },
  /// Slots count as additional ones.
  SLOTS_ADDED("G7") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      IdentityHashMap<WorkerSession, Integer> known = new IdentityHashMap<>();
      return new SessionTap(sink) {
        @Override
        void opened(Command.WorkerOpened opened) {
          known.put(opened.session(), opened.slots());
          super.opened(opened);
        }

        @Override
        void slots(Command.WorkerSlots slots) {
          int all = known.merge(slots.session(), slots.slots(), Integer::sum);
          super.slots(new Command.WorkerSlots(slots.session(), all));
        }
      };
    }
  },
  /// What a worker names after a reconnection takes none of its slots.
  SLOTS_GIVEN_TWICE("G7") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      IdentityHashMap<WorkerSession, Integer> named = new IdentityHashMap<>();
      return new SessionTap(sink) {
        @Override
        void heartbeat(Command.WorkerHeartbeat heartbeat) {
          named.putIfAbsent(heartbeat.session(), heartbeat.tasks().size());
          super.heartbeat(heartbeat);
        }

        @Override
        void slots(Command.WorkerSlots slots) {
          int more = slots.slots() == 0 ? 0 : named.getOrDefault(slots.session(), 0);
          super.slots(new Command.WorkerSlots(slots.session(), slots.slots() + more));
        }
      };
    }
  },
  /// A worker that stops still gets tasks.
  DRAINED_STREAM_FED("G7") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void slots(Command.WorkerSlots slots) {
          if (slots.slots() > 0) {
            super.slots(slots);
          }
        }
      };
    }
  },
  /// The first heartbeat of a stream is handled before its Hello.
  HELLO_OVERTAKEN("G6") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      List<Command.WorkerOpened> waiting = new ArrayList<>();
      return new SessionTap(sink) {
        @Override
        void opened(Command.WorkerOpened opened) {
          waiting.add(opened);
          process.later(
              5 * SimulatedWorld.MS,
              "hello",
              () -> {
                if (waiting.remove(opened)) {
                  super.opened(opened);
                }
              });
        }
      };
    }
  },
  /// A worker is not told to stop what a client cancelled.
  CANCELLATION_UNSENT("G6") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        boolean cancels(boolean requested) {
          return !requested;
        }
      };
    }
  },
  /// A task that a worker gives back counts as failed.
  RELEASED_COUNTED("G4") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void results(Command.Results results) {
          super.results(
              new Command.Results(
                  results.session(),
                  results.results().stream()
                      .map(each ->
                          each.outcome() instanceof Outcome.Released
                              ? new Command.Result(
                                  each.id(),
                                  each.token(),
                                  new Outcome.Failed("given back", false, -1, -1))
                              : each)
                      .toList(),
                  results.reply()));
        }
      };
    }
  },
  /// A failure is retried although it is final.
  FINAL_UNREAD("G4") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return new SessionTap(sink) {
        @Override
        void results(Command.Results results) {
          super.results(
              new Command.Results(
                  results.session(),
                  results.results().stream()
                      .map(each ->
                          each.outcome() instanceof Outcome.Failed failed
                              ? new Command.Result(
                                  each.id(),
                                  each.token(),
                                  new Outcome.Failed(
                                      failed.message(),
                                      false,
                                      failed.retryAfter(),
                                      failed.maxAttempts()))
                              : each)
                      .toList(),
                  results.reply()));
        }
      };
    }
  };

  /// The guarantee that it breaks.
  final String rule;

  PlantedProtocolBug(String rule) {
    this.rule = rule;
  }

  /// Whether the row says that a worker has the task from a stream, and may have it again.
  private static boolean isOfStream(Row row) {
    return row.status() == Status.PROCESSING
        && row.processingDeadline() == Row.NONE
        && !row.activation().atMostOnce();
  }
}
