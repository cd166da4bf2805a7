package io.taskbroker.grpc;

import io.netty.channel.DefaultEventLoop;
import io.taskbroker.telemetry.Metrics;
import java.net.InetAddress;
import java.time.Duration;

/// Connections without a network, for calls of tests.
final class TestConnections {
  private static final long BYTES = 1 << 20;

  private TestConnections() {}

  /// Connection of a peer without calls.
  static Connection of(Peer peer) {
    var running = new RunningCalls(new DefaultEventLoop(), Duration.ofSeconds(1));
    return new Connection(running, peer, BYTES, new ConnectionCounts(new Metrics()));
  }

  static Connection on(RunningCalls running) {
    return on(running, new Budgets(new Budget(BYTES), new Budget(BYTES), new Budget(BYTES)));
  }

  static Connection on(RunningCalls running, Budgets budgets) {
    var peer = new Peer(InetAddress.getLoopbackAddress(), budgets, System.nanoTime());
    return new Connection(running, peer, BYTES, new ConnectionCounts(new Metrics()));
  }
}
