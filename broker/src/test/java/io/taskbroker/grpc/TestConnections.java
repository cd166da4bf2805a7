package io.taskbroker.grpc;

import io.taskbroker.telemetry.Metrics;
import java.net.InetAddress;

/// Connections that calls come on which came by no network.
final class TestConnections {
  private static final long BYTES = 1 << 20;

  private TestConnections() {}

  static Connection on(RunningCalls running) {
    var budgets = new Budgets(new Budget(BYTES), new Budget(BYTES), new Budget(BYTES));
    var peer = new Peer(InetAddress.getLoopbackAddress(), budgets, System.nanoTime());
    return new Connection(running, peer, BYTES, new ConnectionCounts(new Metrics()));
  }
}
