package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// Worker addresses of an application, resolved from the configured name and refreshed while calls
/// are made. One lookup at a time; if it fails, the previous addresses stay. Used by the event
/// loop.
final class Targets {
  /// Maximum addresses of one name; more are ignored.
  private static final int MAX_ADDRESSES = 1_024;

  private static final long PERIOD_NANOS = SECONDS.toNanos(5);
  private static final long PERIOD_AFTER_FAILURE_NANOS = SECONDS.toNanos(1);

  private final WorkerAddress worker;
  private final HostLookup lookup;
  private final Executor blocking;
  private final Executor loop;
  private final Runnable changed;
  private final RandomGenerator random;
  private Map<InetAddress, Target> targets = new LinkedHashMap<>();
  private boolean literal;
  private boolean lookingUp;
  private boolean failed;
  private long askedAt;

  /// @param blocking executor for blocking lookups
  /// @param loop event loop
  /// @param changed called when a lookup ends
  Targets(
      WorkerAddress worker,
      HostLookup lookup,
      Executor blocking,
      Executor loop,
      Runnable changed,
      RandomGenerator random,
      long now) {
    this.worker = worker;
    this.lookup = lookup;
    this.blocking = blocking;
    this.loop = loop;
    this.changed = changed;
    this.random = random;
    this.askedAt = now - PERIOD_NANOS;
    try {
      InetAddress address = InetAddress.ofLiteral(worker.host());
      targets.put(address, target(address, now));
      literal = true;
    } catch (IllegalArgumentException _) {
      literal = false; // a host name
    }
  }

  Collection<Target> all() {
    return targets.values();
  }

  boolean has(Target target) {
    return targets.get(target.address.getAddress()) == target;
  }

  /// Whether a lookup is pending.
  boolean isLookingUp() {
    return lookingUp;
  }

  /// Looks the name up, unless that was done recently.
  void refresh(long now) {
    long period = failed ? PERIOD_AFTER_FAILURE_NANOS : PERIOD_NANOS;
    if (!literal && !lookingUp && now - askedAt >= period) {
      lookingUp = true;
      askedAt = now;
      blocking.execute(this::lookUp);
    }
  }

  /// Shortens the time to the next lookup, after a connection failed or broke.
  void refreshSoon() {
    failed = true;
  }

  /// Failure detail of calls without any address.
  String unresolved() {
    return "Unable to resolve host " + worker.host();
  }

  private void lookUp() {
    List<InetAddress> found;
    try {
      found = lookup.addresses(worker.host());
    } catch (UnknownHostException | RuntimeException _) {
      found = List.of();
    }
    List<InetAddress> addresses = found;
    loop.execute(() -> lookedUp(addresses));
  }

  private void lookedUp(List<InetAddress> addresses) {
    lookingUp = false;
    failed = addresses.isEmpty();
    if (!failed) {
      long now = System.nanoTime();
      Map<InetAddress, Target> before = targets;
      targets = new LinkedHashMap<>();
      addresses.stream()
          .limit(MAX_ADDRESSES)
          .forEach(address ->
              targets.computeIfAbsent(
                  address,
                  _ -> before.containsKey(address) ? before.get(address) : target(address, now)));
    }
    changed.run();
  }

  /// Target without the host name: gRPC rejects names with an underscore, which Docker generates.
  private Target target(InetAddress address, long now) {
    try {
      InetAddress unnamed =
          address instanceof Inet6Address six
              ? Inet6Address.getByAddress(null, six.getAddress(), six.getScopeId())
              : InetAddress.getByAddress(address.getAddress());
      return new Target(new InetSocketAddress(unnamed, worker.port()), random, now);
    } catch (UnknownHostException e) {
      throw new IllegalStateException("An address of " + worker.host() + " has no length", e);
    }
  }

  /// Number of connections to keep: the same for each address, at least one each, bounded by
  /// `most`.
  int connections(int usual, int most) {
    int addresses = Math.max(1, targets.size());
    return Math.min(most, addresses * Math.max(1, Math.round((float) usual / addresses)));
  }

  /// Address with the fewest connections, among those not paused.
  @Nullable Target least(long now) {
    Target least = null;
    for (Target each : targets.values()) {
      if (!each.isPaused(now) && (least == null || isLess(each, least))) {
        least = each;
      }
    }
    return least;
  }

  private static boolean isLess(Target one, Target other) {
    return one.connections == other.connections
        ? one.openedAt - other.openedAt < 0
        : one.connections < other.connections;
  }

  /// Highest connection count of any address.
  int most() {
    int most = 0;
    for (Target each : targets.values()) {
      most = Math.max(most, each.connections);
    }
    return most;
  }

  /// Addresses without a failed connection since the given time.
  List<Target> untried(long since, int max) {
    return targets.values().stream().filter(each -> !each.failedSince(since)).limit(max).toList();
  }
}
