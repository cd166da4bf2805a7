package io.taskbroker.engine;

import io.taskbroker.inflight.Command;
import io.taskbroker.inflight.CommandSink;
import java.util.Queue;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.MpscUnboundedArrayQueue;
import org.jspecify.annotations.Nullable;

/// The two lanes by which commands reach the engine: one for the requests of workers, bounded, and
/// one for everything that its sender bounds itself, completions above all, which is always taken
/// in first (H14). Thread-safe for any number of senders and one reader.
///
/// What is told here wakes the reader. What is told by way of [#workingIntake] the sender works off
/// itself, if the reader sleeps and it is little.
public final class Mailbox implements CommandSink {
  private static final int CHUNK = 1024;

  /// What a sender works off itself, in changes, records or reports of one command.
  private static final int MAX_INLINE_ITEMS = 32;

  private final Queue<Command> commands;
  private final Queue<Command.Request> requests;
  private final EngineOwnership ownership;

  private volatile String closed = "the broker is starting";
  private @Nullable CallerRounds callerRounds;

  /// @param maxRequests how many requests may wait
  public Mailbox(int maxRequests) {
    this(
        new MpscUnboundedArrayQueue<>(CHUNK),
        new MpscArrayQueue<>(maxRequests),
        EngineOwnership.ThreadParking.SYSTEM);
  }

  /// @param told without bound
  /// @param requests refuses what is over the bound
  Mailbox(
      Queue<Command> commands, Queue<Command.Request> requests, EngineOwnership.ThreadParking parking) {
    this.commands = commands;
    this.requests = requests;
    this.ownership = new EngineOwnership(parking);
  }

  /// Lets senders take rounds. To be called before the reader sleeps for the first time.
  void setCallerRounds(CallerRounds callerRounds) {
    this.callerRounds = callerRounds;
  }

  /// Takes in requests from now on.
  public void open() {
    closed = "";
  }

  /// Refuses requests from now on.
  ///
  /// @param why what workers are told
  public void close(String why) {
    closed = why;
  }

  /// The way to the engine for threads that may run it for a moment: none that holds a lock that
  /// one of the engine's outlets takes.
  public CommandSink workingIntake() {
    return new CommandSink() {
      @Override
      public void request(Command.Request request) {
        if (offer(request)) {
          work(request);
        }
      }

      @Override
      public void submit(Command command) {
        boolean _ = commands.offer(command); // has no bound
        work(command);
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

  /// Wakes the reader if it sleeps.
  void wake() {
    if (ownership.isFree()) {
      ownership.wakeEngineThread();
    }
  }

  /// Has the engine follow what was offered: in this thread, if nobody else is about to.
  private void work(Command offered) {
    if (!ownership.isFree()) {
      return;
    }
    CallerRounds rounds = callerRounds;
    if (rounds == null || !isSmall(offered)) {
      ownership.wakeEngineThread();
    } else {
      takeRounds(rounds);
    }
  }

  /// Takes a round, and more for what others offer meanwhile, who leave it to us.
  private void takeRounds(CallerRounds rounds) {
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

  /// Whether following it takes about as long as waking the reader does.
  private static boolean isSmall(Command command) {
    return switch (command) {
      case Command.Committed committed -> committed.changes().size() <= MAX_INLINE_ITEMS;
      case Command.Ingest ingest -> ingest.arrivals().size() <= MAX_INLINE_ITEMS;
      case Command.Report report -> report.updates().size() <= MAX_INLINE_ITEMS;
      case Command.Claim _,
          Command.PushEnded _,
          Command.OffsetCommitted _,
          Command.StoreSizeMeasured _ ->
          true;
      case Command.Enqueue _,
          Command.PartitionAssigned _,
          Command.PartitionRevoked _,
          Command.PartitionLoaded _,
          Command.RemoteReportsRead _,
          Command.ReportsForwarded _,
          Command.ReportsRead _,
          Command.BarrierPassed _,
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
          Command.WentBack _,
          Command.Foreseen _,
          Command.Quarantined _,
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

  /// How many commands wait. Any thread may ask.
  public int size() {
    return commands.size() + requests.size();
  }

  boolean isEmpty() {
    return commands.isEmpty() && requests.isEmpty();
  }

  private boolean isQuiet(boolean requestsCount) {
    return commands.isEmpty() && (requests.isEmpty() || !requestsCount);
  }

  /// Sleeps until something arrives that no sender works off, or for `nanos` nanoseconds. Called by
  /// the reader.
  ///
  /// @param requestsCount whether waiting requests are a reason not to sleep
  void sleep(long nanos, boolean requestsCount) {
    ownership.release();
    if (isQuiet(requestsCount)) {
      ownership.sleep(nanos);
    }
    ownership.reacquire();
  }
}
