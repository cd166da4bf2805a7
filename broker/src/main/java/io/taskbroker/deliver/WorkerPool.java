package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.taskbroker.inflight.PushOutcome;
import java.util.HashSet;
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

  /// How many addresses, or workers behind one, are tried at once while nothing is connected.
  private static final int FIRST_TRIES = 4;

  private static final long LOOK_NANOS = MILLISECONDS.toNanos(50);

  /// How often a connection is replaced while all workers that are reached refuse: others may have
  /// joined.
  private static final long FULL_NANOS = SECONDS.toNanos(1);

  private static final long CONNECT_NANOS = SECONDS.toNanos(5);

  private final PushLoop loop;
  private final Connector connector;
  private final Targets targets;
  private final PushCounts counts;
  private final String application;
  private final RandomGenerator random;
  private final int most;
  private final int usual;

  /// Those that are being made or may be sent on, and those that only wait for their calls to end.
  private final ConnectionRing connections = new ConnectionRing();

  private final Set<WorkerConnection> closing = new HashSet<>();

  private final WaitingCalls waiting = new WaitingCalls();

  private int wanted;
  private long lookAt;

  /// When all of them were found to be paused, and when one was last begun.
  private long fullAt;

  private long openedAt;
  private boolean closed;

  /// @param most the bound on connections
  /// @param blocking where lookups may block
  WorkerPool(
      String application,
      Connector connector,
      int most,
      HostLookup lookup,
      Executor blocking,
      PushLoop loop,
      PushCounts counts) {
    this.application = application;
    this.connector = connector;
    this.most = most;
    this.usual = Math.min(connector.options().connections().count(), most);
    this.loop = loop;
    this.counts = counts;
    this.random = connector.random();
    this.lookAt = System.nanoTime();
    this.fullAt = lookAt;
    this.openedAt = lookAt;
    this.targets =
        new Targets(connector.worker(), lookup, blocking, connector.loop(), this::found, lookAt);
    wanted = targets.connections(usual, most);
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
    WorkerConnection chosen = choose(now);
    if (chosen != null) {
      call.send(chosen);
      return;
    }
    waiting.add(call, now);
    tryAll();
  }

  /// Sends a call again that is proven to be nowhere, if there is a connection for it that refused
  /// nothing since it began.
  boolean sendAgain(PushCall call, long begunAt) {
    WorkerConnection chosen = choose(System.nanoTime());
    if (chosen == null || chosen.pausedAt() - begunAt >= 0) {
      return false;
    }
    call.send(chosen);
    return true;
  }

  /// Whether a connection is there that takes calls, as far as is known.
  boolean hasOther() {
    return connections.takesCalls(System.nanoTime());
  }

  private @Nullable WorkerConnection choose(long now) {
    WorkerConnection chosen = connections.choose(now);
    if (chosen != null && chosen.isPaused(now)) {
      fullAt = now;
    }
    return chosen;
  }

  /// A call ended on a connection.
  ///
  /// @param answered whether the other side said so
  /// @param sentAt when the call began
  void ended(
      WorkerConnection connection, PushOutcome outcome, boolean answered, long sentAt, long now) {
    if (answered) {
      connection.answered(now);
    }
    switch (outcome) {
      case ACCEPTED -> connection.accepted(now);
      case REFUSED -> {}
      case BUSY, OVERLOADED, UNREACHABLE -> connection.pause(false, now, random);
      case REJECTED -> connection.pause(true, now, random);
      case UNANSWERED -> {
        if (connection.isReady() && connection.isSilentSince(sentAt) && mayReplace(connection)) {
          connection.target.hung++;
          retire(connection, "silent");
        }
      }
      case LOST -> {
        if (answered) {
          connection.pause(false, now, random); // a proxy lost the worker behind it
        } else {
          broke(connection, now);
        }
      }
    }
    connection.end();
    if (connection.calls() == 0) {
      closing.remove(connection);
    }
  }

  /// Those of the same address may be broken, too, and not know it yet.
  private void broke(WorkerConnection connection, long now) {
    retire(connection, "broken");
    targets.doubt();
    if (connection.target.broke(now)) {
      connections.all().stream()
          .filter(each -> each.isReady() && each.target == connection.target)
          .filter(this::mayReplace)
          .forEach(each -> retire(each, "doubtful"));
      for (int i = 0; i < FIRST_TRIES; i++) {
        grow(now);
      }
    }
  }

  /// Whether not too many are about to close already.
  private boolean mayReplace(WorkerConnection connection) {
    return connection.calls() == 0 || closing.size() < 2 * wanted;
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
    if (fullAt - openedAt >= FULL_NANOS && connections.connecting() == 0 && least != null) {
      open(least, now);
      return;
    }
    WorkerConnection aged = connections.aged(now);
    if (aged != null
        && aged.target.connecting == 0
        && !aged.target.isPaused(now)
        && mayReplace(aged)) {
      // Where there are more addresses than connections, they take turns.
      open(least != null && least.connections == 0 ? least : aged.target, now);
    }
  }

  /// Nothing is connected: tries each address once, whether or not it is paused.
  private void tryAll() {
    if (connections.connecting() == 0) {
      long now = System.nanoTime();
      targets.untried(waiting.since(), FIRST_TRIES).forEach(target -> open(target, now));
      if (targets.all().isEmpty()) {
        targets.refresh(now);
        if (!targets.areLookedUp()) {
          waiting.forEach(call -> call.abandon(targets.unknown()));
        }
      }
    }
  }

  /// A lookup ended.
  private void found() {
    if (closed) {
      return;
    }
    wanted = targets.connections(usual, most);
    connections.all().stream()
        .filter(each -> !targets.has(each.target))
        .forEach(each -> retire(each, "gone"));
    if (targets.all().isEmpty()) {
      waiting.forEach(call -> call.abandon(targets.unknown()));
    } else if (connections.size() == 0) {
      grow(System.nanoTime());
      if (waiting.areThere()) {
        tryAll();
      }
    }
  }

  private void open(Target target, long now) {
    openedAt = now;
    WorkerConnection opened = connector.open(target, now, this::changed);
    connections.add(opened);
    loop.after(CONNECT_NANOS, () -> tooLate(opened));
  }

  private void changed(WorkerConnection connection) {
    if (!connections.has(connection)) {
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

  private void made(WorkerConnection connection) {
    connections.made(connection);
    counts.connection(application, "opened");
    if (connections.size() - connections.connecting() > wanted) {
      WorkerConnection surplus = connections.surplus();
      if (surplus != null) {
        retire(surplus, "aged");
      }
    }
    waiting.forEach(call -> {
      WorkerConnection chosen = choose(System.nanoTime());
      call.send(chosen == null ? connection : chosen);
    });
  }

  private void tooLate(WorkerConnection connection) {
    if (connections.has(connection) && !connection.isMade()) {
      failed(
          connection,
          "No connection to %s within %d ms"
              .formatted(connector.worker().authority(), NANOSECONDS.toMillis(CONNECT_NANOS)));
      connection.abort();
    }
  }

  /// A connection could not be made.
  ///
  /// @param why null if its calls are told so by the library
  private void failed(WorkerConnection connection, @Nullable String why) {
    connections.remove(connection);
    counts.connection(application, "failed");
    connection.target.failed(System.nanoTime(), random);
    targets.doubt();
    if (waiting.areThere()) {
      tryAll();
    }
    if (connections.connecting() == 0 && why == null) {
      waiting.forEach(call -> call.send(connection));
    } else if (connections.connecting() == 0 && why != null) {
      waiting.forEach(call -> call.abandon(why));
    }
    connection.close();
  }

  /// Gives it no more calls, and lets those that it has end.
  private void retire(WorkerConnection connection, String why) {
    if (connections.remove(connection)) {
      counts.connection(application, why);
    }
    if (connection.calls() > 0) {
      closing.add(connection);
    }
    connection.close();
  }

  /// Breaks all connections.
  void close() {
    closed = true;
    connections.all().forEach(WorkerConnection::abort);
    closing.forEach(WorkerConnection::abort);
  }
}
