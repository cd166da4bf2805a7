package io.taskbroker.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.atomic.AtomicInteger;

/// A port that closes every connection at once, and counts them: what a dead worker pool behind a
/// load balancer looks like. Thread-safe.
final class ClosingPort implements AutoCloseable {
  private final AtomicInteger connections = new AtomicInteger();
  private final ServerSocket socket;

  ClosingPort() throws IOException {
    socket = new ServerSocket(0, 50, InetAddress.ofLiteral("127.0.0.1"));
    Thread.ofVirtual().name("closing-port").start(this::accept);
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        socket.accept().close();
        connections.incrementAndGet();
      } catch (IOException _) {
        // The port is closed, or the peer was faster.
      }
    }
  }

  String url() {
    return "http://127.0.0.1:" + socket.getLocalPort();
  }

  int connections() {
    return connections.get();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
