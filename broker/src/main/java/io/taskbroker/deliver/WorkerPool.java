package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.NANOSECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import io.taskbroker.inflight.api.PushOutcome;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Connection pool of one application: several connections per address, so that calls reach more
/// than one worker behind a balancer (ADR 14). Used by the event loop.
///
/// A call uses the connection with the fewest pending calls, round-robin among equals. A connection
/// that refuses is skipped for a while; one that broke also retires those to the same address; one
/// that is silent or has reached its age is replaced: it gets no new calls and closes after its
/// last one. Replacements connect while others carry the calls; without any connection, calls wait
/// for the first.
final class WorkerPool {
  /// Maximum connections on which a call proven undelivered is tried.
  static final int MAX_ATTEMPTS = 3;

  /// Addresses, or workers behind one, tried concurrently while nothing is connected.
  private static final int PARALLEL_ATTEMPTS = 4;

  private static final long MAINTENANCE_NANOS = MILLISECONDS.toNanos(50);

  /// Replacement interval while all reached workers refuse: others may have joined.
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

  /// Connections that accept calls now or once connected; `closing` holds those that only wait for
  /// their calls to end.
  private final ConnectionRing connections = new ConnectionRing();

  private final Set<WorkerConnection> closing = new HashSet<>();

  private final WaitingCalls waiting = new WaitingCalls();

  private int wanted;
  private long maintainAt;

  /// Times when all connections were last found paused, and when one was last opened.
  private long fullAt;

  private long openedAt;
  private boolean closed;

  /// @param most maximum number of connections
  /// @param blocking executor for blocking lookups
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
    this.maintainAt = System.nanoTime();
    this.fullAt = maintainAt;
    this.openedAt = maintainAt;
    this.targets =
        new Targets(
            connector.worker(),
            lookup,
            blocking,
            connector.loop(),
            this::found,
            random,
            maintainAt);
    wanted = targets.connections(usual, most);
  }

  /// Starts connecting, so that the first call need not wait.
  void connect() {
    long now = System.nanoTime();
    targets.refresh(now);
    grow(now);
  }

  /// Sends the call, now or once there is a connection.
  void send(PushCall call, long now) {
    if (connections.size() < wanted) {
      grow(now);
    }
    if (now - maintainAt >= 0) {
      maintainAt = now + MAINTENANCE_NANOS;
      maintain(now);
    }
    WorkerConnection chosen = choose(now);
    if (chosen != null) {
      call.send(chosen);
      return;
    }
    waiting.add(call, now);
    tryAll();
  }

  /// Sends a call proven undelivered again, if a connection exists that has refused nothing since
  /// the call began.
  boolean resend(PushCall call, long begunAt) {
    WorkerConnection chosen = choose(System.nanoTime());
    if (chosen == null || chosen.pausedAt() - begunAt >= 0) {
      return false;
    }
    call.send(chosen);
    return true;
  }

  /// Whether a connection is known to accept calls.
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

  /// Records the end of a call on a connection.
  ///
  /// @param answered whether the outcome came from the remote side
  /// @param sentAt start of the call
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
          connection.pause(false, now, random); // a proxy lost its worker
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

  /// Retires a broken connection and those to the same address, which may be broken without
  /// noticing.
  private void broke(WorkerConnection connection, long now) {
    retire(connection, "broken");
    targets.refreshSoon();
    if (connection.target.broke(now)) {
      connections.all().stream()
          .filter(each -> each.isReady() && each.target == connection.target)
          .filter(this::mayReplace)
          .forEach(each -> retire(each, "doubtful"));
      for (int i = 0; i < PARALLEL_ATTEMPTS; i++) {
        grow(now);
      }
    }
  }

  /// Whether few enough connections are closing already.
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

  /// Refreshes addresses, balances connections among them, and replaces connections that have
  /// reached their age or, now and then, are full.
  private void maintain(long now) {
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
      // With more addresses than connections, addresses take turns.
      open(least != null && least.connections == 0 ? least : aged.target, now);
    }
  }

  /// Tries each address once, paused or not, while nothing is connected.
  private void tryAll() {
    if (connections.connecting() == 0) {
      long now = System.nanoTime();
      targets.untried(waiting.since(), PARALLEL_ATTEMPTS).forEach(target -> open(target, now));
      if (targets.all().isEmpty()) {
        targets.refresh(now);
        if (!targets.isLookingUp()) {
          waiting.forEach(call -> call.abandon(targets.unresolved()));
        }
      }
    }
  }

  /// Applies the result of a lookup.
  private void found() {
    if (closed) {
      return;
    }
    wanted = targets.connections(usual, most);
    connections.all().stream()
        .filter(each -> !targets.has(each.target))
        .forEach(each -> retire(each, "gone"));
    if (targets.all().isEmpty()) {
      waiting.forEach(call -> call.abandon(targets.unresolved()));
    } else if (connections.size() == 0) {
      grow(System.nanoTime());
      if (waiting.isNotEmpty()) {
        tryAll();
      }
    }
  }

  private void open(Target target, long now) {
    openedAt = now;
    WorkerConnection opened = connector.open(target, now, this::changed);
    connections.add(opened);
    loop.after(CONNECT_NANOS, () -> timedOut(opened));
  }

  private void changed(WorkerConnection connection) {
    if (!connections.has(connection)) {
      return;
    }
    if (connection.isReady()) {
      established(connection);
    } else if (connection.isEstablished()) {
      retire(connection, "closed");
    } else {
      failed(connection, null);
    }
  }

  private void established(WorkerConnection connection) {
    connections.established(connection);
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

  private void timedOut(WorkerConnection connection) {
    if (connections.has(connection) && !connection.isEstablished()) {
      failed(
          connection,
          "No connection to %s within %d ms"
              .formatted(connector.worker().authority(), NANOSECONDS.toMillis(CONNECT_NANOS)));
      connection.abort();
    }
  }

  /// Handles a failed connection attempt.
  ///
  /// @param why null if the library reports the failure to its calls
  private void failed(WorkerConnection connection, @Nullable String why) {
    connections.remove(connection);
    counts.connection(application, "failed");
    connection.target.failed(System.nanoTime());
    targets.refreshSoon();
    if (waiting.isNotEmpty()) {
      tryAll();
    }
    if (connections.connecting() == 0 && why == null) {
      waiting.forEach(call -> call.send(connection));
    } else if (connections.connecting() == 0 && why != null) {
      waiting.forEach(call -> call.abandon(why));
    }
    connection.close();
  }

  /// Stops new calls on a connection and lets the pending ones end.
  private void retire(WorkerConnection connection, String why) {
    if (connections.remove(connection)) {
      counts.connection(application, why);
    }
    if (connection.calls() > 0) {
      closing.add(connection);
    }
    connection.close();
  }

  /// Its addresses, at most so many.
  List<PushAddress> addresses(int limit) {
    return targets.all().stream().limit(limit).map(this::describe).toList();
  }

  private PushAddress describe(Target target) {
    List<WorkerConnection> open =
        Stream.concat(connections.all().stream(), closing.stream())
            .filter(each -> each.target == target)
            .toList();
    return new PushAddress(
        application,
        target.address.getHostString() + ":" + target.address.getPort(),
        (int) open.stream().filter(WorkerConnection::isReady).count(),
        open.stream().mapToInt(WorkerConnection::calls).sum(),
        target.unreachable);
  }

  /// Closes all connections immediately.
  void close() {
    closed = true;
    connections.all().forEach(WorkerConnection::abort);
    closing.forEach(WorkerConnection::abort);
  }
}
