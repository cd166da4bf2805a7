package io.taskbroker.engine;

import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import java.util.Queue;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;

/// The two queues of commands for the engine: a bounded one for worker requests, and one without
/// bound for commands whose senders bound themselves, above all completions. The latter is always
/// drained first (H14). Thread-safe for any number of senders and one consumer.
///
/// Commands sent directly wake the engine's thread. Senders that use [#workingIntake] process a
/// small command themselves if the engine's thread sleeps.
public final class Mailbox implements CommandSink {
  private static final int CHUNK = 1024;

  /// Largest command that a sender processes itself, in changes, records or reports.
  private static final int MAX_INLINE_ITEMS = 32;

  private final Queue<Command> commands;
  private final Queue<Command.Request> requests;
  private final EngineOwnership ownership;

  private volatile String closed = "the broker is starting";
  private @Nullable CallerRounds callerRounds;

  /// @param maxRequests capacity of the request queue
  public Mailbox(int maxRequests) {
    this(
        new MpscUnboundedArrayQueue<>(CHUNK),
        new MpscArrayQueue<>(maxRequests),
        EngineOwnership.ThreadParking.SYSTEM);
  }

  /// @param commands unbounded
  /// @param requests refuses offers beyond its capacity
  Mailbox(
      Queue<Command> commands,
      Queue<Command.Request> requests,
      EngineOwnership.ThreadParking parking) {
    this.commands = commands;
    this.requests = requests;
    this.ownership = new EngineOwnership(parking);
  }

  /// Lets senders run rounds. Call it before the engine's thread first sleeps.
  void setCallerRounds(CallerRounds callerRounds) {
    this.callerRounds = callerRounds;
  }

  /// Accepts requests from now on.
  public void open() {
    closed = "";
  }

  /// Refuses requests from now on.
  ///
  /// @param why reason given to workers
  public void close(String why) {
    closed = why;
  }

  /// Command sink for threads that may run the engine for a moment. A thread must not use it while
  /// it holds a lock that a stage takes.
  public CommandSink workingIntake() {
    return new CommandSink() {
      @Override
      public void request(Command.Request request) {
        if (offer(request)) {
          runOrWake(request);
        }
      }

      @Override
      public void submit(Command command) {
        boolean _ = commands.offer(command); // has no bound
        runOrWake(command);
      }
    };
  }

  @Override
  public void request(Command.Request request) {
    if (offer(request)) {
      wake();
    }
  }

  @Override
  public void submit(Command command) {
    boolean _ = commands.offer(command); // has no bound
    wake();
  }

  private boolean offer(Command.Request request) {
    String why = closed;
    if (!why.isEmpty()) {
      request.unavailable(why);
      return false;
    }
    if (!requests.offer(request)) {
      request.unavailable("too many requests are waiting");
      return false;
    }
    return true;
  }

  /// Wakes the engine's thread if it sleeps.
  void wake() {
    if (ownership.isFree()) {
      ownership.wakeEngineThread();
    }
  }

  /// Processes the offered command in this thread, unless the engine is owned or the command is
  /// large.
  private void runOrWake(Command offered) {
    if (!ownership.isFree()) {
      return;
    }
    CallerRounds rounds = callerRounds;
    if (rounds == null || !isSmall(offered)) {
      ownership.wakeEngineThread();
    } else {
      runRounds(rounds);
    }
  }

  /// Runs rounds until no sender has left a command behind.
  private void runRounds(CallerRounds rounds) {
    boolean more = true;
    while (more && ownership.tryAcquireAsCaller()) {
      boolean maySleepOn = rounds.round();
      boolean requestsCount = rounds.hasRoom();
      more = ownership.releaseByCaller() && !isQuiet(requestsCount);
      if (!maySleepOn) {
        ownership.wakeEngineThread();
        more = false;
      }
    }
  }

  /// Whether processing takes about as long as waking the engine's thread.
  private static boolean isSmall(Command command) {
    return switch (command) {
      case Command.Committed committed -> committed.changes().size() <= MAX_INLINE_ITEMS;
      case Command.Ingest ingest -> ingest.arrivals().size() <= MAX_INLINE_ITEMS;
      case Command.Report report -> report.updates().size() <= MAX_INLINE_ITEMS;
      case Command.Enqueue enqueue -> enqueue.activations().size() <= MAX_INLINE_ITEMS;
      case Command.Results results -> results.results().size() <= MAX_INLINE_ITEMS;
      case Command.WorkerHeartbeat heartbeat -> heartbeat.tasks().size() <= MAX_INLINE_ITEMS;
      case Command.Claim _,
          Command.Ask _,
          Command.WorkerSlots _,
          Command.PushEnded _,
          Command.OffsetCommitted _,
          Command.StoreSizeMeasured _ ->
          true;
      case Command.WorkerOpened _,
          Command.WorkerClosed _,
          Command.AskNoMore _,
          Command.PartitionAssigned _,
          Command.PartitionRevoked _,
          Command.PartitionLoaded _,
          Command.RemoteReportsRead _,
          Command.ReportsForwarded _,
          Command.ReportsRead _,
          Command.BarrierPassed _,
          Command.FinishedRead _,
          Command.LeaseRenewed _,
          Command.PartitionLost _,
          Command.Fenced _,
          Command.Rejected _,
          Command.ParkedRead _,
          Command.RowsRead _,
          Command.Produced _,
          Command.ProduceRefused _,
          Command.RulesChanged _,
          Command.ReadStats _,
          Command.StoreRewound _,
          Command.LookaheadFound _,
          Command.Quarantined _,
          Command.Operate _,
          Command.Drain _ ->
          false;
    };
  }

  @Nullable Command nextCommand() {
    return commands.poll();
  }

  Command.@Nullable Request nextRequest() {
    return requests.poll();
  }

  /// Number of waiting commands. Thread-safe.
  public int size() {
    return commands.size() + requests.size();
  }

  boolean isEmpty() {
    return commands.isEmpty() && requests.isEmpty();
  }

  private boolean isQuiet(boolean requestsCount) {
    return commands.isEmpty() && (requests.isEmpty() || !requestsCount);
  }

  /// Sleeps until a command arrives that no sender processes, or for `nanos` nanoseconds. Called by
  /// the engine's thread.
  ///
  /// @param requestsCount whether waiting requests must keep it awake
  void sleep(long nanos, boolean requestsCount) {
    ownership.release();
    if (isQuiet(requestsCount)) {
      ownership.sleep(nanos);
    }
    ownership.reacquire();
  }
}
