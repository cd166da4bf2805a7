package io.taskbroker.simulation;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.ScheduleRow;
import io.taskbroker.activation.ScheduleStep;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.store.ActivationStore;
import io.taskbroker.store.ScheduleStore;
import io.taskbroker.store.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/// Possible bugs of schedules, planted between the real parts of a broker, to test that the ledger
/// finds them.
enum PlantedScheduleBug implements Tampering {
  /// The version of a step is not compared: who is second fires, too.
  STEP_UNCHECKED("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          return super.commit(
              new WriteBatch(batch.number(), batch.changes().stream().map(this::current).toList()));
        }

        private Change current(Change change) {
          if (!(change instanceof Change.Fire fire)) {
            return change;
          }
          long version =
              schedules()
                  .find(fire.step().next().name())
                  .map(ScheduleRow::version)
                  .orElse(fire.step().version());
          return new Change.Fire(
              fire.row(), new ScheduleStep(version, fire.step().next()), fire.owner());
        }
      };
    }
  },
  /// The task of a slot is stored in a transaction before that of the step.
  TASK_STORED_APART("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return new ForwardingStore(store) {
        @Override
        public List<ChangeOutcome> commit(WriteBatch batch) {
          List<ScheduleStep> steps = new ArrayList<>();
          List<Change> changes = new ArrayList<>();
          for (Change change : batch.changes()) {
            if (change instanceof Change.Fire fire) {
              steps.add(fire.step());
              changes.add(new Change.Insert(fire.row(), fire.owner()));
            } else {
              changes.add(change);
            }
          }
          List<ChangeOutcome> outcomes = super.commit(new WriteBatch(batch.number(), changes));
          steps.forEach(step -> schedules().replace(step.next(), step.version()));
          return outcomes;
        }
      };
    }
  },
  /// A change of a schedule is no step: a fire that is under way overtakes it.
  CHANGE_UNVERSIONED("G1") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return scheduling(
          store,
          schedules ->
              new ForwardingSchedules(schedules) {
                @Override
                public boolean replace(ScheduleRow row, long version) {
                  return super.replace(
                      new ScheduleRow(row.name(), version, row.dueAt(), row.state()), version);
                }
              });
    }
  },
  /// A slot that the broker has no room for is given up.
  FULL_GIVEN_UP("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return answering(
          sink,
          outcome -> outcome == EnqueueOutcome.FULL ? EnqueueOutcome.SWITCHED_OFF : outcome);
    }
  },
  /// A slot that another broker fired counts as one whose task exists.
  LOST_SLOT_GIVEN_UP("G2") {
    @Override
    public CommandSink sink(CommandSink sink, SimulatedProcess process) {
      return answering(
          sink,
          outcome ->
              outcome == EnqueueOutcome.SUPERSEDED ? EnqueueOutcome.ALREADY_EXISTS : outcome);
    }
  },
  /// It is not read when the next slot is due.
  NEXT_SLOT_UNREAD("G8") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return scheduling(
          store,
          schedules ->
              new ForwardingSchedules(schedules) {
                @Override
                public long nextDue(long time) {
                  return ScheduleRow.NEVER;
                }
              });
    }
  },
  /// The schedules are forgotten at a restart.
  FORGOTTEN_AT_RESTART("G8") {
    @Override
    public ActivationStore store(ActivationStore store, SimulatedProcess process) {
      return process.number == 1
          ? store
          : scheduling(
              store,
              schedules ->
                  new ForwardingSchedules(schedules) {
                    @Override
                    public List<ScheduleRow> due(
                        long afterDue, String afterName, long until, int limit) {
                      return List.of();
                    }

                    @Override
                    public Optional<ScheduleRow> find(String name) {
                      return Optional.empty();
                    }
                  });
    }
  };

  /// The guarantee that it breaks.
  final String rule;

  PlantedScheduleBug(String rule) {
    this.rule = rule;
  }

  private static ActivationStore scheduling(
      ActivationStore store, UnaryOperator<ScheduleStore> by) {
    return new ForwardingStore(store) {
      @Override
      public ScheduleStore schedules() {
        return by.apply(super.schedules());
      }
    };
  }

  /// Replaces the answers to the tasks of slots.
  private static CommandSink answering(CommandSink sink, UnaryOperator<EnqueueOutcome> by) {
    return new ForwardingCommandSink(sink) {
      @Override
      public void request(Command.Request request) {
        super.request(
            request instanceof Command.Enqueue enqueue && !enqueue.steps().isEmpty()
                ? new Command.Enqueue(
                    enqueue.activations(), enqueue.steps(), answering(enqueue.reply(), by))
                : request);
      }
    };
  }

  private static Command.EnqueueReply answering(
      Command.EnqueueReply reply, UnaryOperator<EnqueueOutcome> by) {
    return new Command.EnqueueReply() {
      @Override
      public void done(List<EnqueueOutcome> outcomes) {
        reply.done(outcomes.stream().map(by).toList());
      }

      @Override
      public void unavailable(String why) {
        reply.unavailable(why);
      }
    };
  }
}
