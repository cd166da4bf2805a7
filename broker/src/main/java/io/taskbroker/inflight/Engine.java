package io.taskbroker.inflight;

import io.taskbroker.activation.Change;
import io.taskbroker.activation.ChangeOutcome;
import io.taskbroker.activation.Ids;
import io.taskbroker.activation.Ids.Fingerprint;
import io.taskbroker.activation.ParkedRow;
import io.taskbroker.activation.RejectedInsert;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.SourcePartition;
import io.taskbroker.inflight.InFlightPartition.Settled;
import io.taskbroker.inflight.TaskState.Step;
import io.taskbroker.inflight.api.AttemptToken;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineOptions;
import io.taskbroker.inflight.api.EnginePorts;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.inflight.api.OperatorRequest;
import io.taskbroker.inflight.api.TaskEnd;
import io.taskbroker.inflight.api.TaskQuery;
import io.taskbroker.inflight.api.TokenEpoch;
import io.taskbroker.inflight.api.WaitingReason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// State machine of all tasks in flight: commands in, calls of ports out (ARCHITECTURE.md). It has
/// no clock, thread or I/O of its own; the same engine runs in the broker and under simulation.
///
/// Usage: [#restore] the rows of the store, [#advance] to the present, [#start]; then repeatedly
/// [#observe] and [#apply] each command, and [#advance]. Not thread-safe.
public final class Engine {
  private static final long CLOCK_STEP_MS = 500;

  private final EngineState state;
  private final TaskCompletion completion;
  private final StatusWriter statusWriter;
  private final Dispatcher dispatcher;
  private final PushOutcomeHandler outcomes;
  private final RuleEnforcer ruleEnforcer;
  private final Recovery recovery;
  private final RemoteReports remoteReports;
  private final ParkedReports parkedReports;
  private final ReportHandler reports;
  private final TimerHandler timerHandler;
  private final ParkedLoader parkedLoader;
  private final QuarantineRetries quarantineRetries;
  private final QuarantineRequestHandler quarantineRequests;
  private final OperatorRequestHandler operatorRequests;
  private final OffsetCommitGate offsetGate;
  private final Admission admission;
  private final Arrivals arrivals;
  private final Enqueues enqueues;
  private final Workers workers;
  private final TaskQueries queries;
  private final WorkerResults workerResults;
  private final PartitionTransfer transfer;
  private final Collection<InFlightPartition> partitions;
  private final OutcomeModel outcomeModel;
  private final List<InFlightTask> restored = new ArrayList<>();
  private boolean started;

  /// Engine without tasks.
  ///
  /// @param epoch of the [AttemptToken]s of its deliveries, which no other engine may have: see
  ///   [TokenEpoch#at]
  public Engine(
      EngineOptions options, EnginePorts ports, RandomGenerator random, TokenEpoch epoch) {
    state = new EngineState(options, ports, random, epoch);
    outcomeModel = new OutcomeModel(options.shared(), ports.events());
    completion = new TaskCompletion(state);
    statusWriter = new StatusWriter(state);
    var timeouts = new Timeouts(state, completion, statusWriter);
    dispatcher = new Dispatcher(state, completion, statusWriter, timeouts);
    outcomes = new PushOutcomeHandler(state, completion, statusWriter, timeouts);
    ruleEnforcer = new RuleEnforcer(state, completion);
    remoteReports = new RemoteReports(state, timeouts);
    var intakes = new HashMap<SourcePartition, InFlightPartition>();
    partitions = intakes.values();
    offsetGate = new OffsetCommitGate(state, completion, partitions);
    recovery = new Recovery(state, completion, offsetGate, ruleEnforcer);
    timerHandler = new TimerHandler(state, completion, recovery, remoteReports);
    parkedLoader = new ParkedLoader(state, ruleEnforcer, recovery);
    parkedReports = new ParkedReports(state, parkedLoader);
    reports = new ReportHandler(state, completion, dispatcher, remoteReports, parkedReports);
    workers = new Workers(state, timeouts);
    queries = new TaskQueries(state, completion);
    workerResults = new WorkerResults(state, completion, timeouts, reports, workers);
    quarantineRetries = new QuarantineRetries(state, completion, recovery);
    quarantineRequests = new QuarantineRequestHandler(state, completion);
    operatorRequests =
        new OperatorRequestHandler(
            state,
            new TaskActs(state, completion, recovery, statusWriter),
            completion,
            parkedLoader);
    var backpressure = new Backpressure(state);
    admission = new Admission(state, completion, backpressure);
    enqueues = new Enqueues(state, admission);
    arrivals = new Arrivals(state, admission, backpressure, offsetGate, intakes);
    transfer =
        new PartitionTransfer(state, completion, statusWriter, recovery, parkedLoader, intakes);
  }

  /// Adds a row that was found in the store.
  public void restore(Row row) {
    InFlightTask task = recovery.taskOf(row);
    state.add(task);
    restored.add(task);
  }

  /// Adds a parked row that was found in the store.
  public void restore(ParkedRow row) {
    parkedLoader.found(row);
  }

  /// Adds a tombstone that ends at `until`, wall-clock milliseconds.
  public void restoreTombstone(Fingerprint id, long until) {
    state.tombstones.add(id, until, state.wall);
  }

  /// Starts work, with the rules received last.
  ///
  /// @param lastKey the largest key that a row of the store ever had
  public void start(long lastKey) {
    state.begin(lastKey);
    state.awaitReports();
    state.awaitWorkers();
    restored.forEach(task -> recovery.resume(task, false));
    restored.clear();
    ruleEnforcer.beginSweep();
    started = true;
  }

  /// Handles one command.
  public void apply(Command command) {
    switch (command) {
      case Command.Committed done -> {
        outcomeModel.check(done.changes(), done.outcomes());
        committed(done.changes(), done.outcomes());
      }
      case Command.Report report -> reports.handle(report);
      case Command.Claim claim ->
          dispatcher.claim(claim.application(), claim.namespace(), PullChannel.of(claim.reply()));
      case Command.WorkerOpened opened -> workers.opened(opened);
      case Command.WorkerSlots slots -> workers.slots(slots);
      case Command.WorkerHeartbeat heartbeat -> workers.heartbeat(heartbeat);
      case Command.WorkerClosed closed -> workers.closed(closed);
      case Command.Results results -> workerResults.handle(results);
      case Command.Ask ask -> queries.handle(ask.query());
      case Command.AskNoMore gone -> queries.forget(gone.query());
      case Command.PushEnded pushed -> outcomes.pushed(pushed);
      case Command.Enqueue enqueue -> enqueues.add(enqueue);
      case Command.Ingest records -> arrivals.ingest(records);
      case Command.LookaheadFound found -> arrivals.lookaheadFound(found);
      case Command.PartitionAssigned assigned -> arrivals.assigned(assigned);
      case Command.PartitionRevoked revoked -> revoked(revoked);
      case Command.PartitionLoaded page -> loaded(page);
      case Command.OffsetCommitted committed -> arrivals.committed(committed);
      case Command.Rejected rejected when rejected.change() instanceof Change.Fire fire ->
          unfired(fire, EnqueueOutcome.UNSTORABLE);
      case Command.Rejected rejected ->
          throw new IllegalStateException(
              "The store cannot hold " + rejected.change() + ": " + rejected.why());
      case Command.ParkedRead page -> parkedLoader.wasRead(page);
      case Command.RowsRead read when read.owner() instanceof InFlightTask task ->
          quarantineRetries.wasRead(task, read.rows());
      case Command.RowsRead read
          when read.owner() instanceof OperatorRequestHandler.Pending pending ->
          operatorRequests.rowsRead(pending, read.rows());
      case Command.RowsRead read when read.owner() instanceof TaskQuery query ->
          queries.rowRead(query, read.rows());
      case Command.RowsRead read -> reports.parkedRead(read);
      case Command.Produced produced -> completion.produced(produced.record());
      case Command.StoreSizeMeasured sized -> state.storeBytes = sized.bytes();
      case Command.RulesChanged changed -> {
        if (started) {
          ruleEnforcer.change(changed.rules());
        } else {
          state.rules = changed.rules();
        }
      }
      case Command.Quarantined order ->
          order.reply().accept(quarantineRequests.handle(order.order()));
      case Command.Operate(OperatorRequest request) -> operatorRequests.handle(request);
      case Command.ReadStats read -> read.reply().accept(StatsReader.read(state));
      case Command.Drain _ -> drain();
      case Command.Fenced fenced -> fenced(fenced);
      case Command.StoreRewound _ -> transfer.allLost().forEach(arrivals::lost);
      case Command.RemoteReportsRead recorded -> reports.recorded(recorded.reports());
      case Command.ReportsForwarded passed -> remoteReports.forwarded(passed);
      case Command.ReportsRead read -> {
        reports.recorded(read.reports());
        remoteReports.checked(read);
      }
      case Command.FinishedRead read -> queries.wasRead(read);
      case Command.BarrierPassed passed -> barrierPassed(passed);
      case Command.LeaseRenewed lease -> state.leaseRenewed(lease);
      case Command.PartitionLost(String topic, int partition) ->
          lost(new PartitionKey(topic, partition));
      case Command.ProduceRefused refused -> completion.refused(refused.record(), refused.why());
    }
  }

  private void revoked(Command.PartitionRevoked revoked) {
    InFlightPartition partition = arrivals.revoked(revoked);
    if (state.options.shared()) {
      transfer.revoked(partition, partition.lost);
    }
    arrivals.drained(partition);
  }

  private void loaded(Command.PartitionLoaded page) {
    transfer.load(page);
    reports.recorded(page.reports());
    if (!page.parked().isEmpty()) {
      ruleEnforcer.beginSweep();
    }
  }

  private void fenced(Command.Fenced fenced) {
    outcomeModel.checkFenced(fenced.changes());
    transfer.fenced(fenced.changes()).forEach(arrivals::lost);
    partitions.forEach(arrivals::drained);
  }

  private void lost(PartitionKey partitionKey) {
    transfer.lost(List.of(partitionKey)).forEach(arrivals::lost);
    partitions.forEach(arrivals::drained);
  }

  private void barrierPassed(Command.BarrierPassed passed) {
    switch (passed.owner()) {
      case InFlightPartition partition -> {
        partition.barriers--;
        arrivals.drained(partition);
      }
      case PendingEnqueue enqueue -> enqueues.barrierPassed(enqueue);
      case TaskQuery query -> queries.handle(query);
      case OperatorRequestHandler.Pending pending -> operatorRequests.durable(pending);
      default -> {}
    }
  }

  /// Continues to release the revoked partitions.
  private void releasePartitions() {
    for (InFlightPartition partition : partitions) {
      if (!partition.remaining.isEmpty() && transfer.release(partition)) {
        arrivals.drained(partition);
      }
    }
    transfer.resumeDuplicates();
  }

  private void drain() {
    state.delivering = false;
    enqueues.stop();
    statusWriter.write(true);
    for (InFlightTask task : state.tasks.values()) {
      statusWriter.resetStatus(task);
    }
  }

  private void committed(List<Change> changes, List<ChangeOutcome> outcomes) {
    for (int i = 0; i < changes.size(); i++) {
      if (!outcomes.isEmpty()
          && outcomes.get(i) == ChangeOutcome.SUPERSEDED
          && changes.get(i) instanceof Change.Fire fire) {
        unfired(fire, EnqueueOutcome.SUPERSEDED);
      } else {
        durable(changes.get(i));
      }
    }
  }

  private void durable(Change change) {
    state.changeDone(change);
    switch (change) {
      case Change.Insert(_, InFlightTask task) -> recovery.inserted(task);
      case Change.Insert(_, Row parked) -> offsetGate.await(parked);
      case Change.Insert(_, PendingEnqueue enqueue) -> enqueue.settle();
      case Change.Insert(Row row, RejectedInsert refusal) -> admission.replaced(row, refusal);
      case Change.Insert _ -> {}
      case Change.Fire fire -> fired(fire);
      case Change.UpdateStatus(_, _, _, _, _, _, _, _, _, InFlightTask task) ->
          dispatcher.statusWritten(task);
      case Change.UpdateStatus _ -> {}
      case Change.ConfirmOffset(_, _, _, InFlightTask task) -> dispatcher.statusWritten(task);
      case Change.ConfirmOffset _ -> {}
      case Change.ChangeDelay(_, _, _, _, InFlightTask task) -> task.pendingWrites--;
      case Change.ChangeDelay _ -> {}
      case Change.ChangePriority(_, _, _, _, _, InFlightTask task) -> task.pendingWrites--;
      case Change.ChangePriority _ -> {}
      case Change.Forward(_, _, _, _, _, _, InFlightTask task) -> {
        if (task.step() == Step.FORWARDING) {
          state.settle(task);
          completion.produce(task);
          if (task.end == TaskEnd.FAILED) {
            queries.ended(task); // whatever becomes of its dead letter
          }
        } else if (task.pendingWrites > 0) {
          task.pendingWrites--; // its destination was changed
        }
      }
      case Change.Forward _ -> {}
      case Change.Retry(_, InFlightTask task) -> {
        if (task.step() == Step.INSERTING) {
          recovery.inserted(task);
        }
      }
      case Change.Retry _ -> {}
      case Change.Delete delete -> deleted(delete);
      case Change.AdvanceWatermark(_, _, _, Settled settled) -> arrivals.settled(settled);
      case Change.AdvanceWatermark _, Change.OffsetCommitted _ -> {}
    }
  }

  private void deleted(Change.Delete delete) {
    if (delete.tombstoneUntil() != Row.NONE) {
      state.tombstones.add(Ids.fingerprint(delete.id()), delete.tombstoneUntil(), state.wall);
    }
    gone(delete.owner());
  }

  /// Handles the task of a slot that is stored.
  private void fired(Change.Fire fire) {
    switch (fire.owner()) {
      case InFlightTask task -> recovery.inserted(task);
      case PendingEnqueue enqueue -> enqueue.settle();
      case null, default -> {}
    }
    Change.Delete end = state.unknownFires.end(fire);
    if (end != null) {
      state.write(end);
    }
  }

  /// Handles the task of a slot that is not stored: if it has ended, there is nothing to delete.
  private void unfired(Change.Fire fire, EnqueueOutcome why) {
    state.changeDone(fire);
    Change.Delete end = state.unknownFires.end(fire);
    admission.unfired(fire, why);
    if (end != null) {
      gone(end.owner());
    }
  }

  private void gone(@Nullable Object owner) {
    if (owner instanceof InFlightTask task && task.step() == Step.DELETING) {
      queries.ended(task);
      state.transition(task, TaskEvent.DELETED);
      state.remove(task);
      state.settle(task);
    }
  }

  /// Why a task does not run now; null if the engine has none of that id, in memory or parked.
  /// Costs a lookup, and for a queued task a walk of at most [WaitingReason#MAX_POSITION] steps.
  public @Nullable WaitingReason waitingReason(String id) {
    return WaitingReasons.of(state, id);
  }

  /// Sets the clocks without doing what is due. Each command counts from the last observed time: a
  /// time from before its arrival would end its delays and deadlines early (G5).
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void observe(long now, long wall) {
    long step = wall - state.wall - (now - state.now);
    state.now = now;
    state.wall = wall;
    if (started && Math.abs(step) > CLOCK_STEP_MS) {
      timerHandler.rebase();
      if (step < 0) {
        for (ApplicationQueue queue : state.queues.all()) {
          queue.backlog.rewind();
          state.queues.schedule(queue);
        }
      }
    }
  }

  /// Advances the clocks, does what is due, and what earlier commands made possible; for a caller
  /// whose clock stands still meanwhile. Other callers use [#catchUp] and [#dispatch].
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void advance(long now, long wall) {
    catchUp(now, wall);
    dispatch(now, wall);
  }

  /// Advances the clocks and does what is due.
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void catchUp(long now, long wall) {
    observe(now, wall);
    if (!started) {
      return;
    }
    if (state.options.shared()) {
      releasePartitions();
    }
    timerHandler.wakeDue();
    statusWriter.write(false);
    state.tombstones.forget(wall);
    arrivals.accept();
    enqueues.accept();
    ruleEnforcer.sweep();
  }

  /// Advances the clocks, answers reports and delivers runnable tasks. Tasks that expired while
  /// [#catchUp] worked are not delivered (G5).
  ///
  /// @param now monotonic milliseconds, never less than before
  /// @param wall milliseconds since the epoch
  public void dispatch(long now, long wall) {
    observe(now, wall);
    if (!started) {
      return;
    }
    reports.answer();
    parkedLoader.read();
    quarantineRetries.begin();
    dispatchReady();
    remoteReports.sendQueries();
    parkedReports.sendQuery();
    queries.sendQuery();
  }

  private void dispatchReady() {
    Iterator<ApplicationQueue> queues = state.queues.sending.iterator();
    while (queues.hasNext()) {
      ApplicationQueue queue = queues.next();
      dispatcher.dispatch(queue);
      if (!queue.hasReady()) {
        queues.remove();
      }
    }
  }

  /// Monotonic time of the next work without a further command; [Long#MAX_VALUE] if none.
  public long nextWake() {
    long next = Math.min(state.timers.next(), statusWriter.next());
    next = Math.min(next, quarantineRetries.next());
    for (ApplicationQueue queue : state.queues.sending) {
      next = Math.min(next, queue.pauseEnds(state.now));
    }
    if (state.hasRoom() && state.memory.mayRead()) {
      for (ApplicationQueue queue : state.queues.reading) {
        if (state.memory.hasRoom(queue)) {
          next = Math.min(next, state.monotonicTime(queue.readAt));
          break;
        }
      }
    }
    return arrivals.isWaiting() ? Math.min(next, state.now + 1_000) : next;
  }

  /// Whether requests may be accepted now; all other commands always may (H14).
  public boolean hasRoom() {
    return state.hasRoom();
  }

  /// Number of changes that wait for the store.
  public int outstanding() {
    return state.outstanding();
  }
}
