package io.taskbroker.deliver;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/// Addresses of the workers of an application: those of the name that was configured, which is
/// looked up again while calls are made. One lookup at a time; while none succeeds, the addresses
/// of the last one stay. Used by the event loop.
final class Targets {
  /// More addresses of one name are not used.
  private static final int MAX_ADDRESSES = 1_024;

  private static final long PERIOD_NANOS = SECONDS.toNanos(5);
  private static final long PERIOD_AFTER_FAILURE_NANOS = SECONDS.toNanos(1);

  private final WorkerAddress worker;
  private final HostLookup lookup;
  private final Executor blocking;
  private final Executor loop;
  private final Runnable changed;
  private Map<InetAddress, Target> targets = new LinkedHashMap<>();
  private boolean literal;
  private boolean lookingUp;
  private boolean failed;
  private long askedAt;

  /// @param blocking where lookups may block
  /// @param loop the event loop
  /// @param changed called when a lookup has ended
  Targets(
      WorkerAddress worker,
      HostLookup lookup,
      Executor blocking,
      Executor loop,
      Runnable changed,
      long now) {
    this.worker = worker;
    this.lookup = lookup;
    this.blocking = blocking;
    this.loop = loop;
    this.changed = changed;
    this.askedAt = now - PERIOD_NANOS;
    try {
      InetAddress address = InetAddress.ofLiteral(worker.host());
      targets.put(address, target(address, now));
      literal = true;
    } catch (IllegalArgumentException _) {
      literal = false; // a name
    }
  }

  Collection<Target> all() {
    return targets.values();
  }

  boolean has(Target target) {
    return targets.get(target.address.getAddress()) == target;
  }

  /// Whether a lookup is under way.
  boolean areLookedUp() {
    return lookingUp;
  }

  /// Looks the name up, unless that was done lately.
  void refresh(long now) {
    long period = failed ? PERIOD_AFTER_FAILURE_NANOS : PERIOD_NANOS;
    if (!literal && !lookingUp && now - askedAt >= period) {
      lookingUp = true;
      askedAt = now;
      blocking.execute(this::lookUp);
    }
  }

  /// A connection could not be made, or broke: the next lookup comes sooner.
  void doubt() {
    failed = true;
  }

  /// What is said where nothing can be reached for want of an address.
  String unknown() {
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
    loop.execute(() -> told(addresses));
  }

  private void told(List<InetAddress> addresses) {
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

  private Target target(InetAddress address, long now) {
    return new Target(new InetSocketAddress(address, worker.port()), now);
  }

  /// How many connections there are to be: as many for each address, and one for each at least, as
  /// far as there may be so many.
  int connections(int usual, int most) {
    int addresses = Math.max(1, targets.size());
    return Math.min(most, addresses * Math.max(1, Math.round((float) usual / addresses)));
  }

  /// The address with the fewest connections of those that are not paused.
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

  /// The most connections that an address has.
  int most() {
    int most = 0;
    for (Target each : targets.values()) {
      most = Math.max(most, each.connections);
    }
    return most;
  }

  /// Addresses that no connection failed to since a time.
  List<Target> untried(long since, int max) {
    return targets.values().stream().filter(each -> !each.failedSince(since)).limit(max).toList();
  }
}
