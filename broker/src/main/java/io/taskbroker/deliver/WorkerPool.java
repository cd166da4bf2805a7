package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.netty.channel.EventLoopGroup;
import io.taskbroker.inflight.PushOutcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Connections to the workers of one application: several to each address of their name, so that
/// calls reach more than one worker where a balancer stands before them (ADR 14). Used by the event
/// loop.
///
/// A call goes to the connection with the fewest calls under way, in turn where that is equal. A
/// connection that refuses is passed over for a while, one that broke takes along those of the same
/// address, and one that is silent, or has its age, is replaced: it gets no more calls, and closes
/// when its last one has ended. Connections are made while others carry the calls; where there is
/// none, calls wait for the first.
final class WorkerPool {
  /// How many connections a call is tried on that is proven to be nowhere.
  static final int TRIES = 3;

  /// How many connections are compared for a call.
  private static final int COMPARED = 16;

  /// How many addresses are tried at once while nothing is connected.
  private static final int FIRST_TRIES = 4;

  private static final long LOOK_NANOS = MILLISECONDS.toNanos(50);

  /// How often a connection is replaced while all workers that are reached refuse: others may have
  /// joined.
  private static final long FULL_NANOS = SECONDS.toNanos(1);

  private static final long CONNECT_NANOS = SECONDS.toNanos(5);

  private final WorkerAddress worker;
  private final PushOptions options;
  private final EventLoopGroup loops;
  private final PushLoop loop;
  private final Targets targets;
  private final PushCounts counts;
  private final String application;
  private final RandomGenerator random;
  private final int most;

  /// Those that are being made or may be sent on, and those that only wait for their calls to end.
  private final List<Connection> connections = new ArrayList<>();

  private final Set<Connection> closing = new HashSet<>();

  /// Calls for which there is no connection yet, and since when there are such.
  private final Queue<PushCall> waiting = new ArrayDeque<>();

  private long waitingSince;
  private int wanted = 1;
  private int connecting;
  private int next;
  private long lookAt;

  /// When all of them were found to be paused, and when one was last begun.
  private long fullAt;

  private long openedAt;
  private boolean closed;

  /// @param most the bound on connections
  WorkerPool(
      String application,
      WorkerAddress worker,
      PushOptions options,
      int most,
      HostLookup lookup,
      Executor blocking,
      EventLoopGroup loops,
      PushLoop loop,
      PushCounts counts,
      RandomGenerator random) {
    this.application = application;
    this.worker = worker;
    this.options = options;
    this.most = most;
    this.loops = loops;
    this.loop = loop;
    this.counts = counts;
    this.random = random;
    this.lookAt = System.nanoTime();
    this.fullAt = lookAt;
    this.openedAt = lookAt;
    this.targets = new Targets(worker, lookup, blocking, loop::run, this::found, lookAt);
    count();
  }

  /// Begins to connect, so that the first call need not wait for it.
  void connect() {
    long now = System.nanoTime();
    targets.refresh(now);
    grow(now);
  }

  /// Sends the call, now or when there is a connection.
  void send(PushCall call, long now) {
    if (connections.size() < wanted) {
      grow(now);
    }
    if (now - lookAt >= 0) {
      lookAt = now + LOOK_NANOS;
      keepUp(now);
    }
    Connection chosen = choose(now);
    if (chosen != null) {
      call.send(chosen);
      return;
    }
    if (waiting.isEmpty()) {
      waitingSince = now;
    }
    waiting.add(call);
    tryAll();
  }

  /// Sends a call again that is proven to be nowhere, if there is a connection for it that refused
  /// nothing since it began.
  boolean sendAgain(PushCall call, long begunAt) {
    Connection chosen = choose(System.nanoTime());
    if (chosen == null || chosen.pausedAt() - begunAt >= 0) {
      return false;
    }
    call.send(chosen);
    return true;
  }

  /// Whether a connection is there that takes calls, as far as is known.
  boolean hasOther() {
    long now = System.nanoTime();
    for (Connection each : connections) {
      if (each.isReady() && !each.isPaused(now)) {
        return true;
      }
    }
    return false;
  }

  /// The connection with the fewest calls, of some that are next in turn; one that is paused only
  /// if all are, and then the one that was so first.
  private @Nullable Connection choose(long now) {
    Connection best = null;
    Connection paused = null;
    int size = connections.size();
    int at = next;
    int following = next;
    for (int i = 0; i < size && (i < COMPARED || best == null); i++, at++) {
      if (at >= size) {
        at = 0;
      }
      Connection each = connections.get(at);
      if (!each.isReady()) {
        continue;
      }
      if (each.isPaused(now)) {
        if (paused == null || each.pausedAt() - paused.pausedAt() < 0) {
          paused = each;
        }
      } else if (best == null || each.calls() < best.calls()) {
        best = each;
        following = at + 1;
        if (each.calls() == 0) {
          break;
        }
      }
    }
    next = following;
    if (best == null && paused != null) {
      fullAt = now;
      return paused;
    }
    return best;
  }

  /// A call ended on a connection.
  ///
  /// @param sentAt when the call began
  void ended(Connection connection, PushOutcome outcome, long sentAt, long now) {
    switch (outcome) {
      case ACCEPTED -> connection.accepted(now);
      case REFUSED -> connection.answered(now);
      case BUSY, OVERLOADED, UNREACHABLE -> connection.pause(false, now, random);
      case REJECTED -> connection.pause(true, now, random);
      case UNANSWERED -> {
        if (connection.isReady() && connection.isSilentSince(sentAt) && mayReplace(connection)) {
          connection.target.hung++;
          retire(connection, "silent");
        }
      }
      case LOST -> broke(connection, now);
    }
    connection.end();
    if (connection.calls() == 0) {
      closing.remove(connection);
    }
  }

  /// Those of the same address may be broken, too, and not know it yet.
  private void broke(Connection connection, long now) {
    retire(connection, "broken");
    targets.doubt();
    if (connection.target.broke(now)) {
      List.copyOf(connections).stream()
          .filter(each -> each.isReady() && each.target == connection.target)
          .filter(this::mayReplace)
          .forEach(each -> retire(each, "doubtful"));
      grow(now);
    }
  }

  /// Whether not too many are about to close already.
  private boolean mayReplace(Connection connection) {
    return connection.calls() == 0 || closing.size() < 2 * most;
  }

  /// Opens a connection if there are too few.
  private void grow(long now) {
    Target target = connections.size() < wanted ? targets.least(now) : null;
    if (target != null) {
      open(target, now);
    }
  }

  /// Looks for addresses, evens out, and replaces what has its age, or now and then what is full.
  private void keepUp(long now) {
    targets.refresh(now);
    Target least = targets.least(now);
    if (least != null && least.connecting == 0 && targets.most() - least.connections > 1) {
      open(least, now);
      return;
    }
    if (fullAt - openedAt >= FULL_NANOS && connecting == 0 && least != null) {
      open(least, now);
      return;
    }
    Connection aged = null;
    for (Connection each : connections) {
      if (now - each.retireAt >= 0 && (aged == null || each.retireAt - aged.retireAt < 0)) {
        aged = each;
      }
    }
    if (aged != null
        && aged.target.connecting == 0
        && !aged.target.isPaused(now)
        && mayReplace(aged)) {
      open(aged.target, now);
    }
  }

  /// Nothing is connected: tries each address once, whether or not it is paused.
  private void tryAll() {
    if (connecting == 0) {
      long now = System.nanoTime();
      targets.untried(waitingSince, FIRST_TRIES).forEach(target -> open(target, now));
      if (targets.all().isEmpty()) {
        targets.refresh(now);
        if (!targets.areLookedUp()) {
          endWaiting(targets.unknown());
        }
      }
    }
  }

  /// A lookup ended.
  private void found() {
    if (closed) {
      return;
    }
    count();
    List.copyOf(connections).stream()
        .filter(each -> !targets.has(each.target))
        .forEach(each -> retire(each, "gone"));
    if (targets.all().isEmpty()) {
      endWaiting(targets.unknown());
    } else if (connections.isEmpty()) {
      grow(System.nanoTime());
      if (!waiting.isEmpty()) {
        tryAll();
      }
    }
  }

  /// As many for each address, and one for each at least, as far as there may be so many.
  private void count() {
    int addresses = Math.max(1, targets.all().size());
    int usual = Math.min(options.connections().count(), most);
    wanted = Math.min(most, addresses * Math.max(1, Math.round((float) usual / addresses)));
  }

  private void open(Target target, long now) {
    long age = options.connections().age().toNanos();
    boolean trusted = target.hung == 0;
    if (!trusted) {
      target.hung--;
    }
    openedAt = now;
    target.openedAt = now;
    target.connections++;
    target.connecting++;
    connecting++;
    var opened =
        new Connection(
            worker,
            target,
            options,
            loops,
            loop::run,
            now + age / 10 + random.nextLong(age - age / 10 + 1),
            trusted,
            this::changed);
    connections.add(opened);
    loop.after(CONNECT_NANOS, () -> tooLate(opened));
  }

  private void changed(Connection connection) {
    if (!connections.contains(connection)) {
      return;
    }
    if (connection.isReady()) {
      made(connection);
    } else if (connection.isMade()) {
      retire(connection, "closed");
    } else {
      failed(connection, null);
    }
  }

  private void made(Connection connection) {
    connecting--;
    connection.target.connecting--;
    connection.target.reached();
    counts.connection(application, "opened");
    if (connections.size() - connecting > wanted) {
      retireSurplus();
    }
    for (PushCall call = waiting.poll(); call != null; call = waiting.poll()) {
      if (!call.hasEnded()) {
        Connection chosen = choose(System.nanoTime());
        call.send(chosen == null ? connection : chosen);
      }
    }
  }

  /// Of the address with the most connections the one that would be replaced first.
  private void retireSurplus() {
    Connection surplus = null;
    for (Connection each : connections) {
      if (each.isReady() && (surplus == null || isMoreSurplus(each, surplus))) {
        surplus = each;
      }
    }
    if (surplus != null) {
      retire(surplus, "aged");
    }
  }

  private static boolean isMoreSurplus(Connection one, Connection other) {
    int more = one.target.connections - other.target.connections;
    return more == 0 ? one.retireAt - other.retireAt < 0 : more > 0;
  }

  private void tooLate(Connection connection) {
    if (connections.contains(connection) && !connection.isMade()) {
      failed(
          connection,
          "No connection to %s within %d ms"
              .formatted(worker.authority(), NANOSECONDS.toMillis(CONNECT_NANOS)));
      connection.abort();
    }
  }

  /// A connection could not be made.
  ///
  /// @param why null if its calls are told so by the library
  private void failed(Connection connection, @Nullable String why) {
    remove(connection);
    counts.connection(application, "failed");
    connection.target.failed(System.nanoTime(), random);
    targets.doubt();
    if (!waiting.isEmpty()) {
      tryAll();
    }
    if (connecting == 0 && why == null) {
      for (PushCall call = waiting.poll(); call != null; call = waiting.poll()) {
        if (!call.hasEnded()) {
          call.send(connection);
        }
      }
    } else if (connecting == 0 && why != null) {
      endWaiting(why);
    }
    connection.close();
  }

  /// Gives it no more calls, and lets those that it has end.
  private void retire(Connection connection, String why) {
    if (remove(connection)) {
      counts.connection(application, why);
    }
    if (connection.calls() > 0) {
      closing.add(connection);
    }
    connection.close();
  }

  private boolean remove(Connection connection) {
    boolean removed = connections.remove(connection);
    if (removed) {
      connection.target.connections--;
      if (!connection.isMade()) {
        connecting--;
        connection.target.connecting--;
      }
    }
    return removed;
  }

  private void endWaiting(String why) {
    for (PushCall call = waiting.poll(); call != null; call = waiting.poll()) {
      call.abandon(why);
    }
  }

  /// Breaks all connections.
  void close() {
    closed = true;
    waiting.clear();
    connections.forEach(Connection::abort);
    closing.forEach(Connection::abort);
  }
}
