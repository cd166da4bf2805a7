package io.taskbroker.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.concurrent.atomic.AtomicInteger;

/// Port that closes every connection immediately and counts them, like a load balancer without
/// healthy workers. Thread-safe.
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
        // The port or the peer was closed.
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
