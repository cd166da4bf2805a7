package io.taskbroker.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/// TCP proxy that cuts, delays and truncates on request. Thread-safe.
final class BadNetwork implements AutoCloseable {
  private static final int BUFFER = 1 << 14;

  private final ServerSocket door;
  private final int target;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private volatile long delayNanos;
  private volatile boolean truncating;

  BadNetwork(int target) {
    this.target = target;
    try {
      door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException("Could not start a proxy", e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  String address() {
    return "127.0.0.1:" + door.getLocalPort();
  }

  /// Closes all connections.
  void cut() {
    open.forEach(BadNetwork::close);
  }

  /// Holds back each piece for so long.
  void delay(long millis) {
    delayNanos = millis * 1_000_000;
  }

  /// Passes half of the next piece of each connection, and closes it.
  void truncate() {
    truncating = true;
  }

  void heal() {
    delayNanos = 0;
    truncating = false;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = door.accept();
        Socket server = new Socket();
        try {
          server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target), 1_000);
        } catch (IOException e) {
          close(client);
          continue;
        }
        open.add(client);
        open.add(server);
        Thread.ofVirtual().start(() -> pass(client, server));
        Thread.ofVirtual().start(() -> pass(server, client));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private void pass(Socket from, Socket to) {
    byte[] bytes = new byte[BUFFER];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int read = in.read(bytes); read >= 0; read = in.read(bytes)) {
        if (delayNanos > 0) {
          LockSupport.parkNanos(delayNanos);
        }
        if (truncating) {
          out.write(bytes, 0, read / 2);
          return;
        }
        out.write(bytes, 0, read);
      }
    } catch (IOException e) {
      // The other side is closed as well.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // Not used any more.
    }
  }

  @Override
  public void close() {
    try {
      door.close();
    } catch (IOException e) {
      // Not used any more.
    }
    cut();
  }
}
