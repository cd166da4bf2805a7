package io.taskbroker.grpc;

import java.net.InetAddress;
import java.util.concurrent.TimeUnit;

/// One address that connections come from: what it holds, how fast it connects, and how often its
/// connections were closed for abuse. Thread-safe.
final class Peer {
  /// Closed connections from which on new ones of the peer are let in slowly.
  static final int STRIKES = 8;

  private static final int CONNECTIONS_PER_SECOND = 200;
  private static final int CONNECTIONS_AT_ONCE = 4_096;
  private static final int PUNISHED_PER_SECOND = 5;
  private static final int FRAMES_PER_SECOND = 5_000;
  private static final int FRAMES_AT_ONCE = 100_000;
  private static final long MEMORY = TimeUnit.SECONDS.toNanos(60);

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
    this.connects = new RateLimit(CONNECTIONS_PER_SECOND, CONNECTIONS_AT_ONCE, now);
    this.punished = new RateLimit(PUNISHED_PER_SECOND, PUNISHED_PER_SECOND, now);
    this.frames = new RateLimit(FRAMES_PER_SECOND, FRAMES_AT_ONCE, now);
    this.struckAt = now;
  }

  InetAddress address() {
    return address;
  }

  /// Answers that it has not read.
  Budget.Share answers() {
    return answers;
  }

  /// Requests that have not come in full.
  Budget.Share requests() {
    return requests;
  }

  /// Calls under way, with the requests that wait for their answers.
  Budget.Share calls() {
    return calls;
  }

  /// Whether it connects too fast.
  synchronized boolean connectsTooFast(long now) {
    if (strikes > 0 && now - struckAt > MEMORY) {
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

  /// A connection of it was closed for abuse.
  synchronized void strike(long now) {
    strikes++;
    struckAt = now;
  }

  /// Whether nothing need be known of it any more.
  synchronized boolean isForgettable(long now) {
    return open == 0 && now - struckAt > MEMORY;
  }

  /// One of its connections sent frames without work.
  ///
  /// @return whether all of them together sent too many
  synchronized boolean overspends(int cost, long now) {
    return !frames.spend(cost, now);
  }
}
