package io.taskbroker.grpc;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;

/// Remote address: its memory shares, its connection rate, and its connections closed for abuse.
/// Thread-safe.
final class Peer {
  /// Number of abusive connections after which new ones of the peer are rate-limited strictly.
  static final int STRIKES = 8;

  private static final int CONNECTIONS_PER_SECOND = 200;
  private static final int CONNECTION_BURST = 4_096;
  private static final int PUNISHED_PER_SECOND = 5;
  private static final int FRAMES_PER_SECOND = 5_000;
  private static final int FRAME_BURST = 100_000;
  private static final long STRIKE_MEMORY = TimeUnit.SECONDS.toNanos(60);

  private final InetAddress address;
  private final Budget.Share answers;
  private final Budget.Share requests;
  private final Budget.Share calls;
  private final RateLimit connects;
  private final RateLimit punished;
  private final RateLimit frames;
  private int open;
  private int strikes;
  private long struckAt;

  Peer(InetAddress address, Budgets budgets, long now) {
    this.address = address;
    this.answers = budgets.answers().share();
    this.requests = budgets.requests().share();
    this.calls = budgets.calls().share();
    this.connects = new RateLimit(CONNECTIONS_PER_SECOND, CONNECTION_BURST, now);
    this.punished = new RateLimit(PUNISHED_PER_SECOND, PUNISHED_PER_SECOND, now);
    this.frames = new RateLimit(FRAMES_PER_SECOND, FRAME_BURST, now);
    this.struckAt = now;
  }

  InetAddress address() {
    return address;
  }

  /// Unread responses.
  Budget.Share answers() {
    return answers;
  }

  /// Incomplete requests.
  Budget.Share requests() {
    return requests;
  }

  /// Pending calls, with the requests that await their responses.
  Budget.Share calls() {
    return calls;
  }

  /// Whether one more connection exceeds the connection rate of this peer.
  synchronized boolean connectsTooFast(long now) {
    if (strikes > 0 && now - struckAt > STRIKE_MEMORY) {
      strikes = 0;
    }
    return strikes > STRIKES ? !punished.spend(1, now) : !connects.spend(1, now);
  }

  synchronized int open() {
    return open;
  }

  synchronized void opened() {
    open++;
  }

  synchronized void closed() {
    open--;
  }

  /// Records a connection closed for abuse.
  synchronized void strike(long now) {
    strikes++;
    struckAt = now;
  }

  /// Whether its state may be evicted.
  synchronized boolean isEvictable(long now) {
    return open == 0 && now - struckAt > STRIKE_MEMORY;
  }

  /// Charges frames without work of one of its connections.
  ///
  /// @return whether all of its connections together exceeded their allowance
  synchronized boolean overspends(int cost, long now) {
    return !frames.spend(cost, now);
  }
}
